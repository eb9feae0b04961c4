// bench/sink/sink_profile.h
// How one mailbox provider treats its clients: what a profile file says. bench/README.md lists the keys.
//
//   in      TOML text
//   errors  bad_value, naming the key and the rule that it breaks; a key that is not known is refused
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/sink/reputation.h"
#include "bench/sink/sink_rules.h"
#include "engine/base/result.h"
#include "engine/mail/email_address.h"
#include "engine/smtp/reply.h"

namespace penguin::bench {

// What a provider says, or its silence. In the lines {ip} is the client's address, {rcpt} the recipient, {domain} the
// sender's domain.
struct ProviderAnswer {
    int code = 0; // 400..599; 0: closes without a word
    std::vector<std::string> lines;
    smtp::Reply reply(std::string_view ip, std::string_view rcpt, std::string_view domain = {}) const;
    bool closes() const noexcept { return code == 0 || code == 421; } // RFC 5321 3.8
};

// By client address, unless the name says otherwise.
struct ProviderLimit {
    std::uint32_t max = 0;
    std::chrono::seconds per{0}; // rates only: a window that begins with the first event in it
    ProviderAnswer answer;
};

struct ProviderGreylisting {
    std::chrono::seconds delay{300};      // a triplet that comes earlier is refused again
    std::chrono::seconds retry{172'800};  // one that comes later is new again
    std::chrono::seconds keep{3'024'000}; // how long a triplet that waited is let in, from its last use
    double share = 1;                     // of the recipients
    ProviderAnswer answer;
};

struct ProviderShare {
    double share = 0; // of the recipients, by hash of seed and address
    ProviderAnswer answer;
};

struct ProviderTarpit {
    std::uint32_t refusals = 0; // of one connection; from then on each answer waits
    std::chrono::milliseconds delay{0};
};

struct ProviderFault {
    enum class Action : std::uint8_t { delay, drop, stall };
    SinkPhase phase{};
    Action action = Action::delay;
    double share = 1; // of the connections and messages, by hash of seed, address and their number
    std::chrono::milliseconds delay{0};
};

// Who has a reputation here, and what one hears who has a poor one.
struct ProviderReputation {
    struct Replies {
        ProviderAnswer throttled; // beyond the day's volume
        ProviderAnswer deferred;  // a share of the messages of a low one
        ProviderAnswer blocked;
    };
    ReputationRules rules;
    std::optional<Replies> address; // of the client
    std::optional<Replies> domain;  // of the envelope sender
};

// Where complaints go, as ARF (RFC 5965).
struct ProviderReports {
    EmailAddress from;
    std::optional<EmailAddress> to;
    std::uint32_t per_minute = 60; // more is not reported
    std::uint32_t most = 10'000;   // in all
    bool redact = true;            // does not tell who complained
};

enum class ProviderTls : std::uint8_t { good, none, old_protocol, expired, wrong_name, stalled };

struct SinkProfile {
    static constexpr std::size_t kFaultsMax = 64;    // a profile
    static constexpr std::size_t kReplyLinesMax = 8; // an answer

    std::string name;
    std::uint64_t seed = 1;
    ProviderTls tls = ProviderTls::good;
    std::optional<ProviderAnswer> tls_required; // what MAIL in clear gets
    std::optional<ProviderLimit> concurrent_connections;
    std::optional<ProviderLimit> connection_rate;
    std::optional<ProviderLimit> message_rate;
    std::optional<ProviderLimit> messages_per_connection;
    std::optional<ProviderLimit> messages_per_day;
    std::optional<ProviderLimit> recipients_per_transaction;
    std::optional<ProviderGreylisting> greylisting;
    std::optional<ProviderShare> unknown;
    std::optional<ProviderShare> full;
    std::optional<ProviderTarpit> tarpit;
    std::optional<std::uint32_t> pace; // messages a second of a client address: each 250 waits for its turn
    std::vector<ProviderFault> faults;
    std::optional<ProviderReputation> reputation;
    std::optional<ProviderReports> reports;

    static Result<SinkProfile> parse(std::string_view toml);
    static Result<SinkProfile> read(const std::filesystem::path& file);
};

} // namespace penguin::bench
