#include "control/daemon/rules_commands.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ostream.h>
#include <fmt/ranges.h>

#include "control/daemon/state_dir.h"
#include "engine/base/units.h"
#include "engine/policy/verdict.h"

namespace penguin::control {

namespace {

using policy::NormalReply;
using policy::ReplyRule;
using policy::RulePtr;
using policy::Verdict;

enum Exit : std::uint8_t { known = 0, wrong = 1, unknown = 2 };

template <class... Args>
void row(std::ostream& out, std::string_view name, fmt::format_string<Args...> text, Args&&... args)
{
    fmt::print(out, "{:<10} {}\n", name, fmt::format(text, std::forward<Args>(args)...));
}

int refuse(std::ostream& out, std::string_view what)
{
    fmt::print(out, "{}\n", what);
    return Exit::wrong;
}

int refuse(std::ostream& out, const policy::RuleProblems& problems)
{
    for (const policy::RuleProblem& problem : problems) fmt::print(out, "{}\n", policy::text_of(problem));
    return Exit::wrong;
}

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

// As people paste it: a line behind the first may have lost its code, the last one may still have its hyphen.
Result<smtp::Reply> reply_of(std::string_view text)
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

template <class Items>
std::string texts(const Items& items)
{
    std::string out;
    for (const auto& item : items) out += (out.empty() ? "" : " ") + item.text();
    return out;
}

std::string because(const ReplyRule& rule, const NormalReply& reply, const RuleTrial& trial)
{
    std::vector<std::string> out;
    if (!rule.providers.empty()) out.push_back("provider " + trial.provider);
    if (!rule.phases.empty()) out.push_back("phase " + trial.phase);
    if (!rule.codes.empty()) out.push_back(fmt::format("code {} is in {}", reply.code, texts(rule.codes)));
    if (!rule.enhanced.empty())
        out.push_back(fmt::format("enhanced code {} is in {}", texts(reply.enhanced), texts(rule.enhanced)));
    for (const std::string& pattern : rule.says) out.push_back(fmt::format("it says /{}/", pattern));
    return fmt::format("{}", fmt::join(out, "; "));
}

std::string time_text(Duration time)
{
    return duration_text(std::chrono::duration_cast<std::chrono::milliseconds>(time));
}

std::string fate(const Verdict& verdict)
{
    if (verdict.kind == Verdict::Kind::bounce)
        return verdict.suppress ? "bounce; the recipient is suppressed" : "bounce";
    std::string out = "retry";
    if (verdict.wait) out += ", not before " + time_text(*verdict.wait);
    if (verdict.life) out += ", until " + time_text(*verdict.life) + " after its acceptance";
    return out;
}

void tell_rule(const ReplyRule& rule, std::ostream& out)
{
    for (const policy::Reaction& reaction : rule.reactions) row(out, "reaction", "{}", reaction.text());
    if (!rule.verified) row(out, "unverified", "held against no source of the provider's own");
    if (!rule.note.empty()) row(out, "note", "{}", rule.note);
}

} // namespace

policy::RuleBook::Made load_rules(const std::string& file)
{
    if (file.empty()) return policy::shipped_rules();
    const Result<std::string> text = read_small_file(file, policy::kRuleFileMax);
    if (!text) return std::unexpected{policy::RuleProblems{{file, 0, "", "", text.error().detail}}};
    return policy::rules_over_shipped(*text, file);
}

int check_rules(const std::string& file, std::ostream& out)
{
    const policy::RuleBook::Made book = load_rules(file);
    if (!book) return refuse(out, book.error());
    fmt::print(out, "ok: {} rules and {} providers, the shipped ones with them\n", (*book)->rules().size(),
               (*book)->providers().size());
    return Exit::known;
}

std::vector<std::string> reply_phases()
{
    std::vector<std::string> out;
    for (int phase = 0; phase <= static_cast<int>(smtp::Phase::done); ++phase) {
        const std::string_view name = smtp::name_of(static_cast<smtp::Phase>(phase));
        if (policy::parse_reply_phase(name)) out.emplace_back(name);
    }
    return out;
}

int try_rules(const RuleTrial& trial, std::ostream& out)
{
    const policy::RuleBook::Made made = load_rules(trial.file);
    if (!made) return refuse(out, made.error());
    const policy::RuleBook& book = **made;
    const Result<smtp::Reply> reply = reply_of(trial.reply);
    if (!reply) return refuse(out, reply.error().detail);
    const std::optional<smtp::Phase> phase = policy::parse_reply_phase(trial.phase);
    if (!phase) return refuse(out, fmt::format("--phase: must be one of {}", fmt::join(reply_phases(), ", ")));
    if (!trial.provider.empty() && !book.provider(trial.provider))
        return refuse(out, fmt::format("--provider: nobody knows \"{}\"", trial.provider));

    const NormalReply normal = policy::normalised(*reply);
    const std::vector<RulePtr> fitting = book.all(trial.provider, *phase, normal);
    const Verdict verdict = policy::decide(smtp::Outcome::answered(*phase, *reply), book, trial.provider);
    row(out, "rule", "{}", fitting.empty() ? "none: the codes decide" : fitting.front()->id);
    if (!fitting.empty()) row(out, "because", "{}", because(*fitting.front(), normal, trial));
    row(out, "class", "{}", policy::name_of(verdict.klass));
    row(out, "message", "{}", fate(verdict));
    if (!fitting.empty()) tell_rule(*fitting.front(), out);
    for (std::size_t i = 1; i < fitting.size(); ++i) row(out, "behind it", "{}", fitting[i]->id);
    row(out, "read as", "{} {}{}{}", normal.code, texts(normal.enhanced), normal.enhanced.empty() ? "" : " ",
        normal.text);
    return fitting.empty() ? Exit::unknown : Exit::known;
}

} // namespace penguin::control
