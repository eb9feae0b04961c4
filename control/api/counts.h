// control/api/counts.h
// What became of messages, as batches and campaigns show it. The ledger moves analytics.batch_counts.
#pragma once

#include <cstdint>

#include <boost/json/object.hpp>

#include "control/db/rows.h"

namespace penguin::control::api {

struct Counts {
    std::int64_t delivered = 0, bounced = 0, deferred = 0, expired = 0, suppressed = 0, cancelled = 0;
    std::int64_t finished() const { return delivered + bounced + expired + suppressed + cancelled; }
};

// Of a row with a column of each name.
Counts counts_in(const db::Row& row);
// Of `total` messages; those without a final event are queued.
boost::json::object shape_of(std::int64_t total, const Counts& counts);

} // namespace penguin::control::api
