// engine/policy/lane_trouble.h
// What replies have made of a lane's limits: fewer connections, fewer messages over each. Pure.
//
//   slow            half the connections, at least one, for its time
//   one_connection  one, for its time or not at all; afterwards one more for each message that is taken
//   force_tls       nothing in clear, for its time or kForcedTls
//   reconnect       at most so many messages over a connection, for its time
#pragma once

#include <algorithm>
#include <optional>

#include "engine/base/clock.h"
#include "engine/policy/thresholds.h"

namespace penguin::policy {

inline constexpr std::chrono::hours kForcedTls{24};
inline constexpr std::chrono::hours kTroubleKept{1}; // of one_connection without a message that is taken

class LaneTrouble {
public:
    // One refusal under `rule`. True: its reactions changed what the lane may do.
    bool react(const ReplyRule& rule, SteadyTime now);
    // Whether messages that are taken change anything.
    bool growing() const { return allowed_.has_value(); }
    // A message was taken; `limit` as below. True: so the lane may have one connection more.
    bool taken(std::size_t limit, SteadyTime now);
    // Of the connections that it might have without trouble: at least one.
    std::size_t connections(std::size_t limit, SteadyTime now) const;
    std::size_t messages(std::size_t limit, SteadyTime now) const;
    bool demands_tls(SteadyTime now) const { return now < tls_until_; }
    // Nothing is held against it: it can be forgotten.
    bool over(SteadyTime now) const;

private:
    bool apply(const Reaction& reaction, SteadyTime now);

    SteadyTime slow_until_{};
    SteadyTime short_until_{};
    SteadyTime tls_until_{};
    std::size_t short_messages_ = 0;
    std::optional<std::size_t> allowed_; // connections, after one_connection: grows until it is no limit any more
    SteadyTime growth_from_{};
    Thresholds<SteadyTime> counts_;
};

} // namespace penguin::policy
