#include "engine/policy/rule_trial.h"

#include <algorithm>

#include <fmt/format.h>

namespace penguin::policy {

namespace {

// "421-4.7.28 x": takes the code and what divides it from the text off the front.
std::optional<int> take_code(std::string_view& line)
{
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    const bool has_code = line.size() >= 3 && std::ranges::all_of(line.substr(0, 3), is_digit) &&
                          (line.size() == 3 || line[3] == ' ' || line[3] == '-');
    if (!has_code) return std::nullopt;
    const int code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    line.remove_prefix(std::min<std::size_t>(line.size(), 4));
    return code;
}

std::vector<std::string_view> lines_of(std::string_view text)
{
    std::vector<std::string_view> out;
    while (!text.empty()) {
        const std::size_t end = std::min({text.find('\n'), text.find(" | "), text.size()});
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(text.size(), end + (text.substr(end).starts_with(" | ") ? 3 : 1)));
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (!line.empty()) out.push_back(line);
    }
    return out;
}

template <class Items>
std::string texts(const Items& items)
{
    std::string out;
    for (const auto& item : items) out += (out.empty() ? "" : " ") + item.text();
    return out;
}

std::vector<std::string> reasons(const ReplyRule& rule, std::string_view provider, smtp::Phase phase,
                                 const NormalReply& reply)
{
    std::vector<std::string> out;
    if (!rule.providers.empty()) out.push_back(fmt::format("provider {}", provider));
    if (!rule.phases.empty()) out.push_back(fmt::format("phase {}", smtp::name_of(phase)));
    if (!rule.codes.empty()) out.push_back(fmt::format("code {} is in {}", reply.code, texts(rule.codes)));
    if (!rule.enhanced.empty())
        out.push_back(fmt::format("enhanced code {} is in {}", texts(reply.enhanced), texts(rule.enhanced)));
    for (const std::string& pattern : rule.says) out.push_back(fmt::format("it says /{}/", pattern));
    return out;
}

} // namespace

// As people paste it: the last line may still have its hyphen.
Result<smtp::Reply> parse_pasted_reply(std::string_view text)
{
    std::optional<int> code;
    std::vector<std::string> lines;
    for (std::string_view line : lines_of(text)) {
        const std::optional<int> own = take_code(line);
        if (!code) code = own;
        if (!code || (own && own != code)) break;
        lines.emplace_back(line);
    }
    if (!code) return fail(Errc::bad_value, "the reply must begin with its code, as in \"421-4.7.28 text\"");
    if (*code < 400 || *code > 599) return fail(Errc::bad_value, "rules are for refusals: codes from 400 to 599");
    if (lines.size() < lines_of(text).size()) return fail(Errc::bad_value, "the code changes within the reply");
    return smtp::Reply::make(*code, std::move(lines));
}

TriedReply try_reply(const RuleBook& book, std::string_view provider, smtp::Phase phase, const smtp::Reply& reply)
{
    TriedReply out{.read_as = normalised(reply), .fitting = {}, .because = {}, .verdict = {}};
    out.fitting = book.all(provider, phase, out.read_as);
    if (!out.fitting.empty()) out.because = reasons(*out.fitting.front(), provider, phase, out.read_as);
    out.verdict = decide(smtp::Outcome::answered(phase, reply), book, provider);
    return out;
}

std::vector<std::string> reply_phases()
{
    std::vector<std::string> out;
    for (int phase = 0; phase <= static_cast<int>(smtp::Phase::done); ++phase) {
        const std::string_view name = smtp::name_of(static_cast<smtp::Phase>(phase));
        if (parse_reply_phase(name)) out.emplace_back(name);
    }
    return out;
}

} // namespace penguin::policy
