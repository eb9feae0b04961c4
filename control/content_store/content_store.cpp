#include "control/content_store/content_store.h"

#include <boost/asio/co_spawn.hpp>

#include "control/db/compression.h"
#include "control/db/tenancy.h"
#include "engine/base/log.h"
#include "engine/mail/content.h"

namespace penguin::control {

namespace {

constexpr std::size_t kJsonMax = 2 * kContentMax; // its base64 and escapes included

} // namespace

ContentStore::ContentStore(asio::any_io_executor control, db::PgPool& content, queue::SendQueue* cache,
                           Registry& metrics)
    : control_{std::move(control)},
      content_{content},
      cache_{cache},
      cached_{
          metrics.counter("penguin_content_reads_total", "Contents that the engine asked for", {{"from", "redis"}})},
      read_{metrics.counter("penguin_content_reads_total", "Contents that the engine asked for",
                            {{"from", "postgresql"}})},
      failed_{
          metrics.counter("penguin_content_reads_total", "Contents that the engine asked for", {{"from", "nowhere"}})},
      put_{metrics.counter("penguin_content_kept_total", "Shared contents put into Redis before their messages")},
      not_put_{metrics.counter("penguin_content_not_kept_total",
                               "Shared contents that could not be put into Redis: their messages need PostgreSQL")}
{
}

awaitable<Result<std::string>> ContentStore::content(TenantId tenant, ContentId id)
{
    Result<std::string> json = co_await asio::co_spawn(control_, fetch(tenant, std::move(id)), asio::use_awaitable);
    if (!json) failed_.add();
    co_return json;
}

awaitable<Result<std::string>> ContentStore::fetch(TenantId tenant, ContentId id)
{
    const Result<std::string> body = co_await stored(tenant, id);
    if (!body) co_return std::unexpected{body.error()};
    Result<std::string> json = db::decompress(*body, kJsonMax);
    if (!json) co_return fail(json.error(), "content " + id.value());
    co_return json;
}

awaitable<Result<std::string>> ContentStore::stored(TenantId tenant, ContentId id)
{
    std::optional<std::string> found = co_await cached(tenant, id);
    if (found) co_return std::move(*found);
    Result<std::string> body = co_await read(tenant, id);
    if (!body) co_return body;
    read_.add();
    // Only a cache: whether it took it does not matter.
    if (cache_ != nullptr && body->size() <= kCachedMax) co_await cache_->put_content(tenant, id, *body, kCachedFor);
    co_return body;
}

awaitable<std::optional<std::string>> ContentStore::cached(TenantId tenant, ContentId id)
{
    if (cache_ == nullptr) co_return std::nullopt;
    Result<std::optional<std::string>> found = co_await cache_->get_content(tenant, id);
    if (!found || !*found) co_return std::nullopt;
    cached_.add();
    // What stays longer than a read lets it is one that keep() put there, for messages that may wait longer still.
    const Result<std::chrono::seconds> stays = co_await cache_->content_stays(tenant, id);
    if (stays && *stays > kCachedFor) co_await cache_->extend_content(tenant, id, kKeptFor);
    co_return std::move(*found);
}

awaitable<Result<std::string>> ContentStore::read(TenantId tenant, ContentId id)
{
    const auto ask = [&](db::Transaction& tx) {
        return tx.query("select body from content.contents where tenant_id = $1 and id = $2", db::Params{tenant, id});
    };
    const Result<db::Rows> rows = co_await db::as_platform(content_, ask);
    if (!rows) co_return std::unexpected{rows.error()};
    if (rows->empty()) co_return fail(Errc::not_found, "no content " + id.value());
    co_return rows->front().get<db::Bytes>("body").value;
}

awaitable<void> ContentStore::keep(TenantId tenant, ContentId id)
{
    const SteadyTime now = std::chrono::steady_clock::now();
    if (cache_ == nullptr || now < keep_again_) co_return;
    const std::string key = tenant.value().text() + id.value();
    if (const SteadyTime* seen = kept_.get(key); seen != nullptr && now - *seen < kKeptAgain) co_return;
    const Result<bool> there = co_await within(kKeepLimit, "keeping a content", put(tenant, id));
    if (there && *there) {
        kept_.put(key, now);
        co_return;
    }
    not_put_.add();
    if (there) co_return;
    keep_again_ = now + kKeepPause;
    log::warning("content", "not_kept", {{"content", id.value()}, {"why", there.error().detail}});
}

// False: it may not be there.
awaitable<Result<bool>> ContentStore::put(TenantId tenant, ContentId id)
{
    const Result<bool> extended = co_await cache_->extend_content(tenant, id, kKeptFor);
    if (!extended || *extended) co_return extended;
    const Result<unsigned> used = co_await cache_->ask_memory_used();
    if (!used) co_return std::unexpected{used.error()};
    if (*used >= kKeepShare) co_return false;
    const Result<std::string> body = co_await read(tenant, id);
    if (!body) co_return std::unexpected{body.error()};
    if (body->size() > kCachedMax) co_return false;
    const Result<> done = co_await cache_->put_content(tenant, id, *body, kKeptFor);
    if (!done) co_return std::unexpected{done.error()};
    put_.add();
    co_return true;
}

} // namespace penguin::control
