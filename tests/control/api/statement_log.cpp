#include "statement_log.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <utility>

namespace penguin::control::api::test {
namespace {

using namespace std::chrono_literals;

// "$1 = 'x', $2 = NULL" without the names. A quote inside a value is doubled.
std::string values_of(const std::string& detail)
{
    std::string out;
    bool quoted = false;
    for (std::size_t i = 0; i < detail.size(); ++i) {
        if (detail[i] == '\'') quoted = !quoted;
        if (!quoted && detail[i] == '$') {
            i = detail.find(" = ", i) + 2;
            continue;
        }
        out += detail[i];
    }
    return out;
}

// The kind ("LOG", "DETAIL") and the text of each entry. Its further lines begin with a tab.
std::vector<std::pair<std::string, std::string>> entries_of(const std::string& log)
{
    std::vector<std::pair<std::string, std::string>> entries;
    std::istringstream lines{log};
    for (std::string line; std::getline(lines, line);) {
        const std::size_t process = line.find("] ");
        const std::size_t text = line.find(":  ", std::min(process, line.size()));
        if (!line.starts_with("20") || text == std::string::npos) {
            if (!entries.empty()) entries.back().second += "\n" + line;
            continue;
        }
        entries.emplace_back(line.substr(process + 2, text - process - 2), line.substr(text + 3));
    }
    return entries;
}

std::vector<Logged> statements_in(const std::string& log)
{
    constexpr std::string_view kExecute = "execute ";
    constexpr std::string_view kParameters = "parameters: ";
    const auto entries = entries_of(log);
    std::vector<Logged> found;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const auto& [kind, text] = entries[i];
        const std::size_t colon = text.find(": ");
        if (kind != "LOG" || !text.starts_with(kExecute) || colon == std::string::npos) continue;
        Logged logged{text.substr(colon + 2), ""};
        if (i + 1 < entries.size() && entries[i + 1].first == "DETAIL" &&
            entries[i + 1].second.starts_with(kParameters))
            logged.parameters = values_of(entries[i + 1].second.substr(kParameters.size()));
        found.push_back(std::move(logged));
    }
    return found;
}

} // namespace

bool sets_the_scene(const std::string& sql)
{
    return sql.contains("set_config") || sql.starts_with("begin") || sql.starts_with("BEGIN") ||
           sql.starts_with("commit") || sql.starts_with("COMMIT") || sql.starts_with("rollback") ||
           sql.starts_with("ROLLBACK");
}

StatementLog::StatementLog(penguin::test::PostgresServer& postgres, const std::string& database) : postgres_{postgres}
{
    postgres_.sql("postgres", "alter system set log_statement = 'all'");
    postgres_.sql("postgres", "alter system set log_parameter_max_length = -1");
    postgres_.sql("postgres", "select pg_reload_conf()");
    for (int i = 0; i < 500 && postgres_.sql(database, "show log_statement") != "all"; ++i)
        std::this_thread::sleep_for(10ms);
    news();
}

StatementLog::~StatementLog()
{
    try {
        postgres_.sql("postgres", "alter system reset all");
        postgres_.sql("postgres", "select pg_reload_conf()");
    } catch (const std::runtime_error&) { // the server is gone, and its settings with it
    }
}

std::vector<Logged> StatementLog::news()
{
    std::ifstream in{postgres_.folder() + "/log"};
    in.seekg(static_cast<std::streamoff>(read_));
    std::ostringstream text;
    text << in.rdbuf();
    read_ += text.str().size();
    return statements_in(text.str());
}

} // namespace penguin::control::api::test
