// control/content_store/content_store.h
// Where the engine gets contents from: Redis, when it is asked often, over PostgreSQL. A failing cache is passed over.
//
//   threads  content() may be called on any thread; its work runs on the control executor, where the pool and the SendQueue
//            belong, and its result comes back to the caller's
//   limits   kCachedMax octets (compressed) of a content are cached, for kCachedFor
//   errors   not_found, unavailable, timeout; malformed (damaged: the message cannot be sent)
#pragma once

#include <chrono>

#include "control/db/database.h"
#include "engine/base/metrics.h"
#include "engine/delivery/content_source.h"
#include "engine/queue/send_queue.h"

namespace penguin::control {

inline constexpr std::size_t kCachedMax = 256 * 1024; // octets
inline constexpr std::chrono::seconds kCachedFor{15 * 60};

class ContentStore : public delivery::ContentSource {
public:
    // `content` as pm_worker; `cache` may be null. Both belong to `control`.
    ContentStore(asio::any_io_executor control, db::PgPool& content, queue::SendQueue* cache, Registry& metrics);

    awaitable<Result<std::string>> content(TenantId tenant, ContentId id) override;

private:
    awaitable<Result<std::string>> fetch(TenantId tenant, ContentId id);
    awaitable<Result<std::string>> stored(TenantId tenant, ContentId id); // compressed

    asio::any_io_executor control_;
    db::PgPool& content_;
    queue::SendQueue* cache_;
    Counter& cached_;
    Counter& read_;
    Counter& failed_;
};

} // namespace penguin::control
