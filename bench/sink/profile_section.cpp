#include "bench/sink/profile_section.h"

#include <sstream>

namespace penguin::bench {

namespace {

constexpr std::size_t kReplyLineMax = 500; // octets of text (RFC 5321 4.5.3.1.5: 512 with code and CRLF)

std::optional<ProviderAnswer> answer_in(std::string_view text)
{
    if (text.size() < 5 || text[3] != ' ' || (text[0] != '4' && text[0] != '5')) return std::nullopt;
    ProviderAnswer answer;
    for (const char c : text.substr(0, 3)) {
        if (c < '0' || c > '9') return std::nullopt;
        answer.code = answer.code * 10 + (c - '0');
    }
    std::istringstream lines{std::string{text.substr(4)}};
    for (std::string line; std::getline(lines, line); answer.lines.push_back(line)) {
        if (line.empty() || line.size() > kReplyLineMax) return std::nullopt;
        for (const char c : line)
            if (c < ' ' || c > '~') return std::nullopt;
    }
    if (answer.lines.empty() || answer.lines.size() > SinkProfile::kReplyLinesMax) return std::nullopt;
    return answer;
}

// "0.25", "100": as people write it.
std::string written(double number)
{
    std::ostringstream out;
    out << number;
    return out.str();
}

} // namespace

ProfileSection::ProfileSection(const toml::table& table, std::string path, std::optional<Error>& problem)
    : table_{&table},
      path_{std::move(path)},
      problem_{&problem}
{
}

std::int64_t ProfileSection::number(std::string_view key, std::int64_t least, std::int64_t most,
                                    std::optional<std::int64_t> otherwise)
{
    const auto value = get(key).value_exact<std::int64_t>();
    if (value && *value >= least && *value <= most) return *value;
    if (has(key) || !otherwise) wrong(key, "a whole number, " + std::to_string(least) + " to " + std::to_string(most));
    return otherwise.value_or(least);
}

double ProfileSection::real(std::string_view key, double least, double most, std::optional<double> otherwise)
{
    const auto value = get(key).value<double>();
    if (value && *value >= least && *value <= most) return *value;
    if (has(key) || !otherwise) wrong(key, "a number, " + written(least) + " to " + written(most));
    return otherwise.value_or(least);
}

bool ProfileSection::flag(std::string_view key, bool otherwise)
{
    const auto value = get(key).value_exact<bool>();
    if (has(key) && !value) wrong(key, "true or false");
    return value.value_or(otherwise);
}

std::string ProfileSection::text(std::string_view key)
{
    const auto value = get(key).value_exact<std::string>();
    if (!value || value->empty()) wrong(key, "a text that is not empty");
    return value.value_or("");
}

ProviderAnswer ProfileSection::answer(std::string_view key)
{
    const std::optional<ProviderAnswer> answer = answer_in(get(key).value_exact<std::string>().value_or(""));
    if (!answer)
        wrong(key, R"(a reply such as "450 4.2.0 later": 400 to 599, a space, 1 to 8 lines of printable ASCII )"
                   "parted by \\n, 500 octets each");
    return answer.value_or(ProviderAnswer{});
}

ProviderAnswer ProfileSection::answer_or_drop()
{
    const std::optional<bool> drop = get("drop").value_exact<bool>();
    if (has("drop") && !drop.value_or(false)) wrong("drop", "true, or left out");
    if (has("drop") && has("reply")) wrong("drop", "not beside reply");
    return has("drop") ? ProviderAnswer{} : answer("reply");
}

std::optional<ProfileSection> ProfileSection::section(std::string_view key)
{
    const toml::table* table = get(key).as_table();
    if (table != nullptr) return ProfileSection{*table, full(key), *problem_};
    if (has(key)) wrong(key, "a table");
    return std::nullopt;
}

std::vector<ProfileSection> ProfileSection::sections(std::string_view key)
{
    std::vector<ProfileSection> out;
    const toml::array* array = get(key).as_array();
    if (has(key) && array == nullptr) wrong(key, "an array of tables");
    for (std::size_t i = 0; array != nullptr && i < array->size(); ++i) {
        if (const toml::table* table = array->get(i)->as_table())
            out.emplace_back(*table, full(key) + "[" + std::to_string(i) + "]", *problem_);
        else
            wrong(key, "an array of tables");
    }
    return out;
}

void ProfileSection::wrong(std::string_view key, const std::string& rule)
{
    if (!*problem_) *problem_ = Error{Errc::bad_value, "profile: " + full(key) + ": " + rule};
}

void ProfileSection::end()
{
    for (const auto& [key, value] : *table_)
        if (!asked_.contains(key.str())) wrong(key.str(), "no such key");
}

toml::node_view<const toml::node> ProfileSection::get(std::string_view key)
{
    asked_.emplace(key);
    return (*table_)[key];
}

std::string ProfileSection::full(std::string_view key) const
{
    return (path_.empty() ? "" : path_ + ".") + std::string{key};
}

} // namespace penguin::bench
