// control/submit/backlog.h
// What was accepted and is not in its pool's queue yet, in messages, and whether more may be accepted. A queue that is full (Redis
// at its share of memory) or away stops the pump, and then only this bounds what PostgreSQL has to hold.
//
//   known    asked of PostgreSQL every kBacklogEvery; with many rows, kBacklogRest times as long as the last look took. What is
//            accepted here in between counts; what other nodes accept is seen at the next look. So the bound is about right
//   unknown  before the first look, what was accepted before us is not counted
//   threads  belongs to the control executor
#pragma once

#include <chrono>
#include <map>

#include "control/db/pg_pool.h"
#include "engine/base/metrics.h"

namespace penguin::control::submit {

inline constexpr std::chrono::seconds kBacklogEvery{10};
inline constexpr int kBacklogRest = 20;

class Backlog {
public:
    // `queue` as pm_worker. `most`: messages of a pool.
    Backlog(db::PgPool& queue, std::size_t most, Registry& metrics);

    // Looks until stop() or the coroutine is cancelled.
    awaitable<void> run();
    awaitable<Result<>> look(); // for run() and tests
    void stop() { stopped_ = true; }

    // Counts a refusal when it is so.
    bool refuses(const PoolName& pool);
    void add(const PoolName& pool, std::size_t messages);

private:
    void set(const PoolName& pool, std::size_t messages);

    db::PgPool& queue_;
    std::size_t most_;
    Registry& metrics_;
    std::map<PoolName, std::size_t> messages_;
    bool stopped_ = false;
    Counter& refused_;
};

} // namespace penguin::control::submit
