#include "control/api/counts.h"

#include <algorithm>

namespace penguin::control::api {

Counts counts_in(const db::Row& row)
{
    return {.delivered = row.get<std::int64_t>("delivered"),
            .bounced = row.get<std::int64_t>("bounced"),
            .deferred = row.get<std::int64_t>("deferred"),
            .expired = row.get<std::int64_t>("expired"),
            .suppressed = row.get<std::int64_t>("suppressed"),
            .cancelled = row.get<std::int64_t>("cancelled")};
}

boost::json::object shape_of(std::int64_t total, const Counts& counts)
{
    return {{"total", total},
            {"queued", std::max<std::int64_t>(0, total - counts.finished())},
            {"delivered", counts.delivered},
            {"bounced", counts.bounced},
            {"deferred", counts.deferred},
            {"expired", counts.expired},
            {"suppressed", counts.suppressed},
            {"cancelled", counts.cancelled}};
}

} // namespace penguin::control::api
