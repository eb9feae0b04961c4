#include "control/daemon/rules_commands.h"

#include <fmt/format.h>
#include <fmt/ostream.h>
#include <fmt/ranges.h>

#include "control/daemon/state_dir.h"
#include "engine/base/units.h"
#include "engine/policy/rule_trial.h"

namespace penguin::control {

namespace {

using policy::ReplyRule;
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

std::expected<policy::RuleFile, policy::RuleProblems> load_rule_file(const std::string& file)
{
    if (file.empty()) return policy::shipped_rule_file();
    const Result<std::string> text = read_small_file(file, policy::kRuleFileMax);
    if (!text) return std::unexpected{policy::RuleProblems{{file, 0, "", "", text.error().detail}}};
    return policy::layer_over(policy::shipped_rule_file(), *text, file, policy::RuleOrigin::file);
}

policy::RuleBook::Made load_rules(const std::string& file)
{
    auto whole = load_rule_file(file);
    if (!whole) return std::unexpected{std::move(whole.error())};
    return policy::RuleBook::make(std::move(*whole), file);
}

int check_rules(const std::string& file, std::ostream& out)
{
    const policy::RuleBook::Made book = load_rules(file);
    if (!book) return refuse(out, book.error());
    fmt::print(out, "ok: {} rules and {} providers, the shipped ones with them\n", (*book)->rules().size(),
               (*book)->providers().size());
    return Exit::known;
}

int try_rules(const RuleTrial& trial, std::ostream& out)
{
    const policy::RuleBook::Made book = load_rules(trial.file);
    if (!book) return refuse(out, book.error());
    const Result<smtp::Reply> reply = policy::parse_pasted_reply(trial.reply);
    if (!reply) return refuse(out, reply.error().detail);
    const std::optional<smtp::Phase> phase = policy::parse_reply_phase(trial.phase);
    if (!phase) return refuse(out, fmt::format("--phase: must be one of {}", fmt::join(policy::reply_phases(), ", ")));
    if (!trial.provider.empty() && !(*book)->provider(trial.provider))
        return refuse(out, fmt::format("--provider: nobody knows \"{}\"", trial.provider));

    const policy::TriedReply tried = policy::try_reply(**book, trial.provider, *phase, *reply);
    const bool known = !tried.fitting.empty();
    row(out, "rule", "{}", known ? tried.fitting.front()->id : "none: the codes decide");
    if (known) row(out, "because", "{}", fmt::join(tried.because, "; "));
    row(out, "class", "{}", policy::name_of(tried.verdict.klass));
    row(out, "message", "{}", fate(tried.verdict));
    if (known) tell_rule(*tried.fitting.front(), out);
    for (std::size_t i = 1; i < tried.fitting.size(); ++i) row(out, "behind it", "{}", tried.fitting[i]->id);
    row(out, "read as", "{}", policy::text_of(tried.read_as));
    return known ? Exit::known : Exit::unknown;
}

} // namespace penguin::control
