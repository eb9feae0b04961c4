#include "engine/policy/rule_file.h"

#include <algorithm>

#include <fmt/format.h>
#include <re2/re2.h>

#include "engine/mail/domain_name.h"
#include "engine/policy/re2_options.h"
#include "engine/policy/rule_fields.h"

namespace penguin::policy {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::seconds kReactionMost = 30 * 24h; // of a pause, of a trigger's span
constexpr std::chrono::seconds kWaitMost = 7 * 24h;
constexpr unsigned kTriggerMost = 1'000;
constexpr std::size_t kConnectionsMost = 1'000;
constexpr std::size_t kMessagesMost = 100'000; // of a connection

void read_mx(RuleFields& in, Provider& out)
{
    for (const std::string& text : in.texts("mx", kRuleItemsMax, 255)) {
        const Result<DomainName> host = DomainName::parse(text);
        if (host)
            out.mx.push_back(host->text());
        else
            in.refuse("mx", fmt::format("\"{}\" is no host name: {}", text, host.error().detail));
    }
    if (!in.has("mx")) in.refuse("mx", "is needed: names of MX hosts, each with all below it");
}

Provider read_provider(RuleFields in)
{
    Provider out;
    out.name = in.name("name");
    in.call(out.name);
    read_mx(in, out);
    out.connections = in.whole("connections", 1, kConnectionsMost);
    out.messages_per_connection = in.whole("messages_per_connection", 1, kMessagesMost);
    out.tls_required = in.flag("tls_required", false);
    out.verified = in.flag("verified", true);
    out.note = in.text("note", kNoteMax);
    in.end();
    return out;
}

std::optional<Trigger> read_trigger(RuleFields& in)
{
    const auto count = in.whole("count", 1, kTriggerMost);
    const auto within = in.time("within", kReactionMost);
    if (in.has("count") != in.has("within"))
        in.refuse(in.has("count") ? "within" : "count", "count and within are given together or not at all");
    if (!count || !within) return std::nullopt;
    return Trigger{static_cast<unsigned>(*count), *within};
}

// A field that a kind of reaction must have, or must not.
void need(RuleFields& in, std::string_view field, bool wanted, std::string_view kind)
{
    if (in.has(field) == wanted) return;
    in.refuse(field, fmt::format("{} with do = \"{}\"", wanted ? "is needed" : "has no meaning", kind));
}

Reaction read_reaction(RuleFields& in)
{
    Reaction out;
    const std::string kind = in.text("do", kRuleNameMax);
    const auto known = parse_reaction_kind(kind);
    if (!known) in.refuse("do", "must be one of suppress, slow, one_connection, reconnect, pause, force_tls, alert");
    out.kind = known.value_or(ReactionKind::alert);
    out.length = in.time("for", kReactionMost);
    out.trigger = read_trigger(in);
    if (const auto messages = in.whole("messages", 1, kMessagesMost)) out.messages = static_cast<unsigned>(*messages);
    if (const std::string scope = in.text("scope", kRuleNameMax); !scope.empty()) {
        out.scope = parse_pause_scope(scope);
        if (!out.scope)
            in.refuse("scope", "must be one of recipient_domain, campaign, dkim_domain, lane, source_at_provider, "
                               "netblock, source");
    }
    if (!known) return out;
    need(in, "scope", out.kind == ReactionKind::pause, kind);
    need(in, "messages", out.kind == ReactionKind::reconnect, kind);
    const bool lasts_always = out.kind == ReactionKind::slow || out.kind == ReactionKind::reconnect;
    const bool lasts_never = out.kind == ReactionKind::suppress || out.kind == ReactionKind::alert;
    if (lasts_always || lasts_never) need(in, "for", lasts_always, kind);
    return out;
}

std::vector<Reaction> read_reactions(RuleFields& in, const std::string& file, RuleProblems& problems)
{
    const toml::node* const node = in.find("reactions");
    if (!node) return {};
    const toml::array* const array = node->as_array();
    const bool tables = array && !array->empty() && array->size() <= kReactionsMax &&
                        std::ranges::all_of(*array, [](const toml::node& one) { return one.is_table(); });
    if (!tables) {
        in.refuse("reactions", fmt::format("must be an array of 1 to {} tables", kReactionsMax));
        return {};
    }
    std::vector<Reaction> out;
    for (const toml::node& one : *array) {
        RuleFields fields{*one.as_table(), file, problems};
        fields.call(in.called());
        out.push_back(read_reaction(fields));
        fields.end();
    }
    return out;
}

// Only a reply about the recipient may say that the recipient is to get no more mail.
void check_suppress(RuleFields& in, const ReplyRule& rule)
{
    const auto is_suppress = [](const Reaction& reaction) { return reaction.kind == ReactionKind::suppress; };
    const bool reacts = std::ranges::any_of(rule.reactions, is_suppress);
    if (!rule.suppress && !reacts) return;
    const bool late = !rule.phases.empty() &&
                      std::ranges::all_of(rule.phases, [](smtp::Phase phase) { return phase >= smtp::Phase::rcpt; });
    if (!late) in.refuse("phases", "a rule that suppresses must name phases, none before rcpt");
    if (rule.suppress && rule.kind == ReplyRule::Kind::retry)
        in.refuse("suppress", "has no meaning with kind = \"retry\"");
}

void read_match(RuleFields& in, ReplyRule& out)
{
    out.providers = in.texts("provider", kRuleItemsMax, kRuleNameMax);
    out.phases = in.parsed("phases", parse_reply_phase, "one of greeting, ehlo, tls, mail, rcpt, data, body");
    out.codes = in.parsed("codes", CodeRange::parse, "a reply code such as 421, \"4xx\" or \"450-459\"");
    out.enhanced = in.parsed("enhanced", EnhancedRange::parse,
                             "an enhanced code such as \"4.7.28\", \"x.7.28\", \"4.4.x\" or \"5.7.606-649\"");
    out.says = in.texts("says", kPatternsMax, kPatternMax);
    for (const std::string& pattern : out.says)
        if (const std::string wrong = pattern_problem(pattern); !wrong.empty())
            in.refuse("says", fmt::format("\"{}\": {}", pattern, wrong));
    if (!in.has("codes") && !in.has("enhanced") && !in.has("says"))
        in.refuse("", "one of codes, enhanced and says is needed");
}

// The others say what we did, or did not do.
bool is_of_replies(BounceClass klass)
{
    return klass != BounceClass::suppressed && klass != BounceClass::expired && klass != BounceClass::local_fault &&
           klass != BounceClass::content_missing;
}

void read_verdict(RuleFields& in, ReplyRule& out)
{
    const std::string klass = in.text("class", kRuleNameMax);
    const auto known = parse_bounce_class(klass);
    if (!in.has("class"))
        in.refuse("class", "is needed: a bounce class such as rate_limited or spam_content");
    else if (!klass.empty() && !known)
        in.refuse("class", fmt::format("\"{}\" is no bounce class such as rate_limited or spam_content", klass));
    else if (known && !is_of_replies(*known))
        in.refuse("class", fmt::format("\"{}\" is not for what servers say", klass));
    out.klass = known.value_or(BounceClass::undetermined);
    if (const std::string kind = in.text("kind", kRuleNameMax); !kind.empty()) {
        out.kind = parse_rule_kind(kind);
        if (!out.kind) in.refuse("kind", "must be \"retry\" or \"bounce\"");
    }
    out.suppress = in.flag("suppress", false);
    out.wait = in.time("wait", kWaitMost);
    out.life = in.time("life", kReactionMost);
    if (out.kind == ReplyRule::Kind::bounce && (out.wait || out.life))
        in.refuse(out.wait ? "wait" : "life", "has no meaning with kind = \"bounce\"");
}

void read_rule(RuleFields in, const std::string& file, RuleFile& out, RuleProblems& problems)
{
    ReplyRule rule;
    rule.id = in.name("id");
    in.call(rule.id);
    if (in.flag("off", false)) {
        out.off.push_back(rule.id);
        return in.end(); // an id and off: all else would have no meaning
    }
    read_match(in, rule);
    read_verdict(in, rule);
    rule.reactions = read_reactions(in, file, problems);
    check_suppress(in, rule);
    rule.verified = in.flag("verified", true);
    rule.note = in.text("note", kNoteMax);
    in.end();
    out.rules.push_back(std::move(rule));
}

// Every table of an array such as [[rule]].
void each(const toml::table& root, std::string_view name, std::size_t most, const std::string& file,
          RuleProblems& problems, const std::function<void(RuleFields)>& read)
{
    const toml::node* const node = root.get(name);
    if (!node) return;
    const toml::array* const array = node->as_array();
    const bool tables = array && array->size() <= most &&
                        std::ranges::all_of(*array, [](const toml::node& one) { return one.is_table(); });
    if (!tables) {
        problems.push_back({file, node->source().begin.line, "", std::string{name},
                            fmt::format("must be at most {} tables: [[{}]]", most, name)});
        return;
    }
    for (const toml::node& one : *array) read(RuleFields{*one.as_table(), file, problems});
}

RuleFile read_all(const toml::table& root, const std::string& file, RuleProblems& problems)
{
    RuleFile out;
    each(root, "provider", kProvidersMax, file, problems,
         [&](RuleFields in) { out.providers.push_back(read_provider(std::move(in))); });
    each(root, "rule", kRulesMax, file, problems,
         [&](RuleFields in) { read_rule(std::move(in), file, out, problems); });
    for (const auto& [key, node] : root)
        if (key.str() != "provider" && key.str() != "rule")
            problems.push_back(
                {file, key.source().begin.line, "", std::string{key.str()}, "unknown key; known here: provider, rule"});
    return out;
}

} // namespace

std::string text_of(const RuleProblem& problem)
{
    std::string out = problem.file;
    if (problem.line != 0) out += fmt::format(":{}", problem.line);
    if (!problem.rule.empty()) out += fmt::format(": {}", problem.rule);
    if (!problem.field.empty()) out += fmt::format(": {}", problem.field);
    return fmt::format("{}: {}", out, problem.text);
}

std::string pattern_problem(const std::string& pattern)
{
    const re2::RE2 compiled{pattern, re2_options()};
    if (!compiled.ok()) return "no RE2 pattern: " + compiled.error();
    if (re2::RE2::PartialMatch("", compiled)) return "it fits every reply";
    return "";
}

std::expected<RuleFile, RuleProblems> parse_rule_file(std::string_view text, std::string_view file, RuleOrigin origin)
{
    const std::string name{file};
    if (text.size() > kRuleFileMax)
        return std::unexpected{RuleProblems{{name, 0, "", "", fmt::format("is larger than {} octets", kRuleFileMax)}}};
    toml::table root;
    try {
        root = toml::parse(text, name);
    } catch (const toml::parse_error& wrong) {
        // After a syntax error the rest has no certain meaning: this one problem is all that can be said.
        return std::unexpected{
            RuleProblems{{name, wrong.source().begin.line, "", "", std::string{wrong.description()}}}};
    }
    RuleProblems problems;
    RuleFile out = read_all(root, name, problems);
    if (!problems.empty()) return std::unexpected{std::move(problems)};
    for (Provider& provider : out.providers) provider.origin = origin;
    for (ReplyRule& rule : out.rules) rule.origin = origin;
    return out;
}

} // namespace penguin::policy
