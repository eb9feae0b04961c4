#include "control/daemon/embedded_stores.h"

#include "control/daemon/embedded_postgres.h"
#include "control/daemon/embedded_redis.h"

namespace penguin::control {

EmbeddedStores::EmbeddedStores(const asio::any_io_executor& executor, const Options& options, Registry& metrics)
{
    if (options.redis)
        redis_ = std::make_unique<StoreSupervisor>(
            executor, std::make_unique<EmbeddedRedis>(options.dir, options.redis_maxmemory), options.waiting, metrics);
    if (options.postgres)
        postgres_ = std::make_unique<StoreSupervisor>(
            executor, std::make_unique<EmbeddedPostgres>(options.dir, options.postgres_shared_buffers, options.waiting),
            options.waiting, metrics);
}

awaitable<Result<>> EmbeddedStores::start()
{
    for (StoreSupervisor* const store : {redis_.get(), postgres_.get()}) {
        if (!store) continue;
        Result<> started = co_await store->start();
        if (!started) co_return started;
    }
    co_return Result<>{};
}

// PostgreSQL first: what it could not take any more is still in Redis.
awaitable<void> EmbeddedStores::stop()
{
    if (postgres_) co_await postgres_->stop();
    if (redis_) co_await redis_->stop();
}

bool EmbeddedStores::ready() const { return (!redis_ || redis_->ready()) && (!postgres_ || postgres_->ready()); }

} // namespace penguin::control
