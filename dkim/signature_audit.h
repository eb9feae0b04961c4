// dkim/signature_audit.h
// Decides which signatures the judge must see before they leave, and what a failure stops.
//
//   unproven  a key that no audit has passed yet: every message is audited, so that a forgotten DNS record lets nothing
//   out proven    one signature in `every` is audited, by a counter of the key stopped   an audit failed: the key signs
//   nothing. From `retry` on one message at a time is let through to the judge;
//             one that passes makes the key proven again, one that fails waits for `retry` once more
//   state     kept by KeyId: a new key starts unproven, an unchanged key keeps what is known of it; one small record a live
//             key, others go with keep_only
//   threads   any
//   errors    denied (stopped: detail says why and since when)
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "dkim/key_ring.h"
#include "engine/base/clock.h"
#include "engine/base/metrics.h"

namespace penguin::dkim {

struct AuditOptions {
    std::uint32_t every = 1000;     // one signature in so many; 1: each; 0: only those of unproven keys
    std::chrono::seconds retry{60}; // a stopped key is tried again after this
};

class SignatureAudit {
public:
    SignatureAudit(AuditOptions options, Registry& metrics);

    // Called for each signature that is about to be made. True: the judge must see it. Errors: denied.
    Result<bool> admit(const LiveKey& key, WallTime now);
    void passed(const LiveKey& key);
    void failed(const LiveKey& key, std::string_view reason, WallTime now);
    void keep_only(const std::unordered_set<KeyId>& live);

private:
    enum class State : std::uint8_t { unproven, proven, stopped };
    struct Known {
        State state = State::unproven;
        std::uint64_t signed_since_audit = 0;
        WallTime stopped_at;
        WallTime next_try;
        std::string reason;
    };

    const AuditOptions options_;
    Gauge& stopped_keys_;
    Counter& passed_;
    Counter& failed_;
    std::mutex mutex_;
    std::unordered_map<KeyId, Known> known_;
};

} // namespace penguin::dkim
