// engine/delivery/warmups.h
// The warm-up of a pool's sources on this node: which lane of policy/warmup a message counts for, and what holds it. A source
// belongs to one node, so what this node counts is all that there is.
//
//   counts   after a start from Redis (queue/warmup_count.h), and from the ledger now and then: of two who may each lack
//            something the higher one is right. Until Redis has been asked a source sends nothing under its plan
//   plans    without one for a source nothing here costs or holds anything
//   threads  the dispatcher's
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/delivery/settings.h"
#include "engine/policy/warmup/lane.h"
#include "engine/queue/warmup_count.h"

namespace penguin::delivery {

class Warmups {
public:
    // Of the sources of `pool`; lanes that there were keep what they know.
    void apply(const Settings& settings, const PoolName& pool);
    bool empty() const { return sources_.empty(); }

    // Sources of which Redis has not been asked since they came.
    std::vector<SourceId> unasked() const;
    std::string address_of(const SourceId& source) const;
    void asked(const SourceId& source);
    // By share; what somebody else counted.
    void counted(const SourceId& source, policy::Day day, const queue::WarmupCounts& counts, WallTime now);

    // `provider`: of the route, as the rule book calls it.
    std::optional<policy::WarmupHold> hold(const SourceId& source, std::string_view provider, WallTime now);
    WallTime next_in_line(const SourceId& source, std::string_view provider, WallTime now);
    // It goes. Gives the share that it counts for, "" when the source has no plan.
    std::string take(const SourceId& source, std::string_view provider, WallTime now);
    void done(const SourceId& source, std::string_view share, bool heard, WallTime now);

    struct Level {
        std::string source, share;
        std::uint64_t used = 0;
        std::uint64_t cap = 0; // 0: none
    };
    std::vector<Level> levels(WallTime now); // for metrics

private:
    using Lanes = std::map<std::string, policy::WarmupLane, std::less<>>;
    struct Source {
        std::string address;
        bool asked = false;
        Lanes lanes; // by share
    };
    Source* find(const SourceId& source);

    std::map<SourceId, Source> sources_;
};

} // namespace penguin::delivery
