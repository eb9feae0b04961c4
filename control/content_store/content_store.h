// control/content_store/content_store.h
// Where the engine gets contents from: Redis, when it is asked often, over PostgreSQL. A failing cache is passed over.
//
//   shared   what many messages name is put into Redis before they are queued (`keep`), so that they are sent while
//            PostgreSQL is away; the others wait for it
//   threads  content() may be called on any thread; its work runs on the control executor, where the pool and the SendQueue
//            belong, and its result comes back to the caller's. keep() belongs to that executor
//   limits   kCachedMax octets (compressed) of a content are cached: for kCachedFor after a read, kept ones for kKeptFor after
//            the last call of keep() or a read. Nothing is kept while Redis uses kKeepShare of its memory or more
//   errors   not_found, unavailable, timeout; malformed (damaged: the message cannot be sent). keep() has none: who calls it
//            goes on. After a failure it does nothing for kKeepPause
#pragma once

#include <chrono>

#include "control/db/database.h"
#include "engine/base/lru_cache.h"
#include "engine/base/metrics.h"
#include "engine/delivery/content_source.h"
#include "engine/queue/send_queue.h"

namespace penguin::control {

inline constexpr std::size_t kCachedMax = 256 * 1024; // octets
inline constexpr std::chrono::seconds kCachedFor{15 * 60};
inline constexpr std::chrono::hours kKeptFor{12};     // as long as PostgreSQL may be away
inline constexpr std::chrono::minutes kKeptAgain{1};  // not looked at again before: Redis may have lost it
inline constexpr std::size_t kKeptRemembered = 4'096; // contents
inline constexpr unsigned kKeepShare = 60;            // percent of Redis' maxmemory
inline constexpr std::chrono::seconds kKeepLimit{5};  // of one call
inline constexpr std::chrono::seconds kKeepPause{30};

class ContentStore : public delivery::ContentSource {
public:
    // `content` as pm_worker; `cache` may be null. Both belong to `control`.
    ContentStore(asio::any_io_executor control, db::PgPool& content, queue::SendQueue* cache, Registry& metrics);

    awaitable<Result<std::string>> content(TenantId tenant, ContentId id) override;

    // Sees to it that it is in Redis, if it may.
    awaitable<void> keep(TenantId tenant, ContentId id);

private:
    awaitable<Result<std::string>> fetch(TenantId tenant, ContentId id);
    awaitable<Result<std::string>> stored(TenantId tenant, ContentId id); // compressed
    awaitable<std::optional<std::string>> cached(TenantId tenant, ContentId id);
    awaitable<Result<std::string>> read(TenantId tenant, ContentId id);
    awaitable<Result<bool>> put(TenantId tenant, ContentId id);

    asio::any_io_executor control_;
    db::PgPool& content_;
    queue::SendQueue* cache_;
    LruCache<std::string, SteadyTime> kept_{kKeptRemembered}; // when keep() last saw it in Redis
    SteadyTime keep_again_{};
    Counter& cached_;
    Counter& read_;
    Counter& failed_;
    Counter& put_;
    Counter& not_put_;
};

} // namespace penguin::control
