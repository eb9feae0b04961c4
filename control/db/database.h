// control/db/database.h
// The four tiers as one role sees them. Tiers with equal connection strings share one pool. No transaction crosses a tier.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "control/db/pg_pool.h"
#include "engine/base/metrics.h"

namespace penguin::control::db {

enum class Tier : std::uint8_t { control, content, queue, analytics };
inline constexpr std::array kTiers{Tier::control, Tier::content, Tier::queue, Tier::analytics};
std::string_view name_of(Tier tier); // also the name of its schema

struct TierDsns {
    std::string control, content, queue, analytics;
    static TierDsns all(const std::string& dsn) { return {dsn, dsn, dsn, dsn}; }
    const std::string& of(Tier tier) const;
};

inline constexpr std::string_view kApiRole = "pm_api";       // the API: row-level security holds, owns nothing
inline constexpr std::string_view kWorkerRole = "pm_worker"; // pump, ledger, snapshot, content: policies of its own

class Database {
    std::vector<std::unique_ptr<PgPool>> pools_;

public:
    // `options`: dsn is ignored, user is the role to log in as ("" leaves the DSNs').
    Database(const asio::any_io_executor& executor, const TierDsns& dsns, const PoolOptions& options,
             Registry& metrics);

    PgPool& control;
    PgPool& content;
    PgPool& queue;
    PgPool& analytics;

    // Asks each server once. The first that does not answer is the error.
    awaitable<Result<>> check();
    bool healthy() const;
    void close();
};

} // namespace penguin::control::db
