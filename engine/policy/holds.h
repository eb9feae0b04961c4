// engine/policy/holds.h
// "May this go now, and if not, what holds it and until when?" There is no second place that decides.
//
//   in      what is known of the message and of each limit, as values
//   out     nothing: it may go; or the first Hold, in the order of the fields of `Situation`
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/base/clock.h"
#include "engine/policy/pauses.h"
#include "engine/policy/warmup/lane.h"

namespace penguin::policy {

enum class Limit : std::uint8_t {
    expired,         // its life is over: it will never go
    suppressed,      // the recipient must get no mail: it will never go
    cancelled,       // its campaign is cancelled: it will never go
    campaign_paused, // until somebody resumes it
    suspended,       // the tenant may not send
    unverified, // the sender's domain is not (yet) in the settings as verified for the tenant: it has no return path
    not_before, // scheduled
    sending_window, // the campaign's mail goes at other hours
    no_source,      // no source of this node in its pool
    paused,         // a reply rule stopped what `scope` names: `rule` says which
    warmup_stopped, // its source sends nothing there today: listed, or refused too often
    warmup_hours,   // outside of the sending hours of its source's warm-up
    warmup_day,     // the day's cap of its source at its provider is used
    warmup_hour,    // the hour's
    warmup_pace,    // the next one's time has not come: the cap is spread over the hours
    site_window,    // enough mail for this site is in hand already
    lane_backoff,   // the site failed to take connections: its next probe is at `until`
    lane_rate,      // the site takes no more from this source before `until`, by what it refused before
    tenant_rate, // the tenant's messages a second, minute or hour; with the two below kept at claim, in Redis: no node holds any
    tenant_quota,     // its messages of the month
    tenant_uncounted, // what it has sent of them is not known yet; the ledger counts
};
std::string_view name_of(Limit limit);

enum class Scope : std::uint8_t {
    message,
    recipient,
    recipient_domain,
    tenant,
    campaign,
    domain,
    pool,
    lane,
    site,
    source_at_provider,
    netblock,
    source,
};
std::string_view name_of(Scope scope);

struct Hold {
    Limit limit{};
    Scope scope{};
    std::optional<WallTime> until; // nothing: until somebody changes a setting
    std::string rule{};            // paused: its id
    std::uint64_t used = 0;        // warmup_...: of `bound`
    std::uint64_t bound = 0;       // messages
    bool forever() const noexcept
    {
        return limit == Limit::expired || limit == Limit::suppressed || limit == Limit::cancelled;
    }
    friend bool operator==(const Hold&, const Hold&) = default;
};

struct Situation {
    WallTime now;
    WallTime end_of_life;
    bool suppressed = false;
    bool campaign_cancelled = false;
    bool campaign_paused = false;
    bool tenant_suspended = false;
    bool sender_unverified = false;
    std::optional<WallTime> not_before;
    std::optional<WallTime> window_opens; // nothing, or not after now: it is open
    bool has_source = true;
    std::size_t site_in_hand = 0; // messages of the site on this node
    std::size_t site_window = 0;  // most of them
    std::optional<WallTime> lane_backoff_until;
    std::optional<WallTime> lane_rate_until;
    std::optional<Pause> pause;       // the longest that concerns it
    std::optional<WarmupHold> warmup; // of its source at its provider
};

std::optional<Hold> hold_on(const Situation& situation);

} // namespace penguin::policy
