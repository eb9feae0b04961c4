// bench/sink/sink_rules.h
// How the sink behaves where it should not just say yes. Does no I/O and knows no clock.
//
//   in       one rule a text: words key=value, a value in double quotes may hold spaces (\" and \\ inside it):
//              phase=greeting|ehlo|starttls|mail|rcpt|data|body   where it applies (body: the final dot); must be there
//              code=200..599 text="4.2.1 later"              the answer
//              action=answer|drop|stall|take-and-drop        drop: closes at once; stall: says nothing any more;
//                                                            take-and-drop (body): keeps the message, then closes
//              delay-ms=N                                    waits before the answer
//              share=0..1                                    for this part of the messages, the same ones at each attempt
//              match=address                                 only this recipient; may be repeated
//              match-file=path                               only the recipients of this file, one a line
//              first-attempts-only                           the same message at its next attempt is not meant
//   out      the first rule that applies, or none. A message is known by its envelope: (sender, recipient)
//   limits   kSeenMax attempts are remembered; beyond it, first-attempts-only rules apply to nobody
//   errors   bad_value, naming the word
//   threads  one object may be shared
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "engine/base/result.h"
#include "engine/smtp/reply.h"

namespace penguin::bench {

enum class SinkPhase : std::uint8_t { greeting, ehlo, starttls, mail, rcpt, data, body };

struct SinkRule {
    enum class Action : std::uint8_t { answer, drop, stall, take_and_drop };

    SinkPhase phase{};
    Action action = Action::answer;
    int code = 0; // 0: no answer of its own, only the delay
    std::string text;
    std::chrono::milliseconds delay{0};
    double share = 1;
    bool first_attempts_only = false;
    std::unordered_set<std::string> recipients; // lower case; empty: all
    std::string match_file;                     // to be read by the caller, with add_recipients

    static Result<SinkRule> parse(std::string_view text);
    void add_recipients(std::string_view lines);
    smtp::Reply reply() const { return smtp::Reply::make(code, {text}); }
};

// Who is asking. At phases before rcpt the recipient is empty, before mail the sender too; at data and body the recipient
// is the transaction's first.
struct SinkSubject {
    std::string_view sender;
    std::string_view recipient;
    std::uint64_t connection = 0;
};

class SinkRules {
public:
    static constexpr std::size_t kSeenMax = 4'000'000; // attempts, over all shards

    explicit SinkRules(std::vector<SinkRule> rules);
    bool empty() const noexcept { return rules_.empty(); }
    const SinkRule* find(SinkPhase phase, const SinkSubject& subject);

private:
    static constexpr std::size_t kShards = 16; // so that threads seldom wait for each other
    struct Shard {
        std::mutex mutex;
        std::unordered_set<std::uint64_t> seen;
    };
    bool first_attempt(std::uint64_t key);

    std::vector<SinkRule> rules_;
    std::array<Shard, kShards> shards_;
};

} // namespace penguin::bench
