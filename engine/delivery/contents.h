// engine/delivery/contents.h
// Compiled contents, each fetched and compiled once however many messages wait for it.
//
//   threads   `get` runs on any io_context; look-ups in the source run on the dispatcher's (`home`)
//   limits    `octets_max` of compiled contents are kept, least used forgotten first
//   errors    as ContentSource; bad_value and its like when the stored bytes do not compile
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "engine/base/lru_cache.h"
#include "engine/delivery/content_source.h"
#include "engine/delivery/worker_pool.h"
#include "engine/mail/content.h"

namespace penguin::delivery {

using ContentPtr = std::shared_ptr<const CompiledContent>;

class Contents {
public:
    Contents(asio::any_io_executor home, ContentSource& source, WorkerPool& workers, std::size_t octets_max);
    awaitable<Result<ContentPtr>> get(TenantId tenant, ContentId id);
    // Without waiting; null when it has to be fetched. Any thread.
    ContentPtr at_hand(const TenantId& tenant, const ContentId& id);

private:
    using Key = std::string; // tenant and id
    struct Wait;             // those who came while it was being fetched

    awaitable<Result<ContentPtr>> get_at_home(TenantId tenant, ContentId id);
    awaitable<Result<ContentPtr>> fetch(TenantId tenant, ContentId id);
    ContentPtr kept(const Key& key);

    asio::any_io_executor home_;
    ContentSource& source_;
    WorkerPool& workers_;
    std::mutex mutex_; // guards kept_
    LruCache<Key, ContentPtr> kept_;
    std::map<Key, std::shared_ptr<Wait>> fetching_; // home only
};

} // namespace penguin::delivery
