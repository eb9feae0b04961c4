// engine/policy/reply_rule.h
// What the rule files say of providers and of their replies, as values. README.md has the format; rule_file.h reads it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/policy/bounce_class.h"
#include "engine/smtp/outcome.h"

namespace penguin::policy {

// Which layer it stands in. What stands in a later one takes the place of what has its name in those before.
enum class RuleOrigin : std::uint8_t {
    shipped, // came with the program
    file,    // `delivery.rules_file`
    stored,  // a version that PostgreSQL holds
};

// Sites under one operator, told by the names of their MX hosts.
struct Provider {
    std::string name;
    std::vector<std::string> mx;            // "google.com": that host and all below it
    std::optional<std::size_t> connections; // at most so many from one source
    std::optional<std::size_t> messages_per_connection;
    bool tls_required = false;
    bool verified = true; // false: nobody has held it against a source of the provider's own
    std::string note;
    RuleOrigin origin = RuleOrigin::shipped;
    friend bool operator==(const Provider&, const Provider&) = default;
};

struct CodeRange {
    int first = 0;
    int last = 0;
    bool holds(int code) const { return code >= first && code <= last; }
    std::string text() const; // "421", "4xx", "450-459"
    static std::optional<CodeRange> parse(std::string_view text);
    friend bool operator==(const CodeRange&, const CodeRange&) = default;
};

// Of enhanced codes: "4.7.28", "x.7.28", "5.7.606-649", "4.4.x". Nothing: any.
struct EnhancedRange {
    std::optional<std::uint8_t> klass;
    std::optional<std::uint16_t> subject;
    std::optional<std::uint16_t> first, last; // detail; both or none
    bool holds(const smtp::EnhancedCode& code) const;
    std::string text() const;
    static std::optional<EnhancedRange> parse(std::string_view text);
    friend bool operator==(const EnhancedRange&, const EnhancedRange&) = default;
};

enum class ReactionKind : std::uint8_t {
    suppress,       // the recipient, for the tenant
    slow,           // half the connections of the lane, at least one
    one_connection, // of the lane; afterwards one more for each message that is taken
    reconnect,      // the lane's connections carry at most `messages` each
    pause,          // what `scope` names
    force_tls,      // no mail in clear to the site
    alert,          // tell a person
};

enum class PauseScope : std::uint8_t {
    recipient_domain,
    campaign,           // at this provider
    dkim_domain,        // the sender's domain at this provider, from every source
    lane,               // the source at the site
    source_at_provider, // the source at every site of the provider
    netblock,           // every source of the source's /24 or /64 at the provider
    source,             // everywhere
};

struct Trigger {
    unsigned count = 1; // of replies under one rule, in one scope
    std::chrono::seconds within{0};
    friend bool operator==(const Trigger&, const Trigger&) = default;
};

struct Reaction {
    ReactionKind kind{};
    std::optional<PauseScope> scope;            // pause
    std::optional<std::chrono::seconds> length; // pause: nothing is a day (pauses.h)
    std::optional<unsigned> messages;           // reconnect
    std::optional<Trigger> trigger;             // nothing: at the first reply
    std::string text() const;                   // "3/1h pause lane 2h"
    friend bool operator==(const Reaction&, const Reaction&) = default;
};

struct ReplyRule {
    enum class Kind : std::uint8_t { retry, bounce };

    std::string id;                      // stable: in events, in what people write about it
    std::vector<std::string> providers;  // empty: any, and none
    std::vector<smtp::Phase> phases;     // empty: any
    std::vector<CodeRange> codes;        // empty: 400 to 599
    std::vector<EnhancedRange> enhanced; // empty: any, and none
    std::vector<std::string> says;       // RE2 over NormalReply::text, all of them
    BounceClass klass = BounceClass::undetermined;
    std::optional<Kind> kind; // nothing: 4xx is tried again, 5xx is final
    bool suppress = false;
    std::optional<std::chrono::seconds> wait; // retry: not before
    std::optional<std::chrono::seconds> life; // retry: the message lives no longer than this from its acceptance
    std::vector<Reaction> reactions;
    bool verified = true;
    std::string note;
    RuleOrigin origin = RuleOrigin::shipped;

    // Everything but the words and the provider.
    bool fits(smtp::Phase phase, int code, const std::vector<smtp::EnhancedCode>& given) const;
    friend bool operator==(const ReplyRule&, const ReplyRule&) = default;
};

std::string_view name_of(RuleOrigin origin);
std::string_view name_of(ReactionKind kind);
std::string_view name_of(PauseScope scope);
std::string_view name_of(ReplyRule::Kind kind);
std::optional<ReactionKind> parse_reaction_kind(std::string_view name);
std::optional<PauseScope> parse_pause_scope(std::string_view name);
std::optional<ReplyRule::Kind> parse_rule_kind(std::string_view name);
// greeting to body, where replies come from.
std::optional<smtp::Phase> parse_reply_phase(std::string_view name);

} // namespace penguin::policy
