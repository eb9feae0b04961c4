// control/warmup/warmup_rows.h
// What PostgreSQL has of the warm-up of sources, as values of policy/warmup: read by the keeper and by the API.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include <boost/json/object.hpp>

#include "control/db/tenancy.h"
#include "engine/policy/warmup/decision.h"

namespace penguin::control {

// How long what an origin says of a state (listings, shares of complaints) is believed, when it does not say it again.
inline constexpr std::chrono::days kSignalHolds{7};

struct WarmupLaneRow {
    SourceId source;
    std::string address;
    std::string plan;
    policy::Day start;
    std::string provider; // share of the plan
    policy::WarmupState state;
    std::optional<policy::Day> decided;
    std::optional<double> used_enough; // in place of the plan's
};

// Columns of a lane, its plan and its source: "from control.warmups w join control.sources s ... join control.warmup_lanes l ...".
extern const std::string_view kWarmupLaneColumns;
WarmupLaneRow warmup_lane_of(const db::Row& row);

// Attempts by source (address), provider and day.
using WarmupDays = std::map<std::tuple<std::string, std::string, policy::Day>, policy::WarmupCounts>;
awaitable<Result<WarmupDays>> warmup_days(db::PgPool& analytics, std::vector<std::string> sources, policy::Day from,
                                          policy::Day to);

// One row of control.signals about a source.
struct SignalRow {
    std::string subject, provider, kind, origin;
    policy::Day day;
    double value = 0;
};
awaitable<Result<std::vector<SignalRow>>> signals_of(db::Transaction& tx, std::vector<std::string> subjects,
                                                     policy::Day from, policy::Day to);
// What they say of a provider on a day. Complaints are of that day; listings and shares are the last that each origin said within
// kSignalHolds, for this provider or for all.
policy::OutsideSignals outside_of(const std::vector<SignalRow>& rows, std::string_view subject,
                                  std::string_view provider, policy::Day day);

boost::json::object shape_of(const policy::WarmupCounts& counts);
boost::json::object shape_of(const policy::WarmupNumbers& numbers);

std::optional<policy::Day> day_in(const db::Row& row, std::string_view column); // of a column of text
std::optional<std::string> text_of_day(const std::optional<policy::Day>& day);

} // namespace penguin::control
