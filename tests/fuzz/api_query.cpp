// The query of a list, and the cursor in it: only what a list gave out is taken, and it means what it meant.
#include "control/api/answers.h"
#include "engine/base/utf8.h"
#include "tests/fuzz/check.h"

using namespace penguin;
using fuzz::check;
using namespace penguin::control;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string text{reinterpret_cast<const char*>(data), size};
    const auto target = http::Target::parse("/v1/events?" + text);
    if (target) {
        const http::Request request{.query = target->query};
        for (const std::size_t parts : {1, 2}) {
            http::Issues issues;
            api::QueryReader query{request, issues};
            const std::size_t limit = query.limit();
            check(limit >= 1 && limit <= api::kPageMax);
            const std::vector<std::string> key = query.cursor(parts);
            check(key.empty() || key.size() == parts);
            for (const std::string& part : key) check(is_clean_text(part));
            query.uuid("batch");
            query.time("since");
            query.text("kind");
            query.finish();
            if (!issues.empty()) check(!std::move(issues).problem().errors.empty());
        }
    }
    // A cursor of ours comes back as it was.
    std::string key = text;
    std::erase(key, '\n');
    if (key.empty() || !is_clean_text(key)) return 0;
    const http::Request request{.query = {{"cursor", api::cursor_of({key, "1"})}}};
    http::Issues issues;
    api::QueryReader query{request, issues};
    check(query.cursor(2) == std::vector<std::string>{key, "1"} && issues.empty());
    return 0;
}
