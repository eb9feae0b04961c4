#include "control/content_store/content_store.h"

#include <boost/asio/co_spawn.hpp>

#include "control/db/compression.h"
#include "control/db/tenancy.h"
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
          metrics.counter("penguin_content_reads_total", "Contents that the engine asked for", {{"from", "nowhere"}})}
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
    if (cache_ != nullptr) {
        Result<std::optional<std::string>> cached = co_await cache_->get_content(tenant, id);
        if (cached && *cached) {
            cached_.add();
            co_return std::move(**cached);
        }
    }
    const auto read = [&](db::Transaction& tx) {
        return tx.query("select body from content.contents where tenant_id = $1 and id = $2", db::Params{tenant, id});
    };
    const Result<db::Rows> rows = co_await db::as_platform(content_, read);
    if (!rows) co_return std::unexpected{rows.error()};
    if (rows->empty()) co_return fail(Errc::not_found, "no content " + id.value());
    read_.add();
    std::string body = rows->front().get<db::Bytes>("body").value;
    // Only a cache: whether it took it does not matter.
    if (cache_ != nullptr && body.size() <= kCachedMax) co_await cache_->put_content(tenant, id, body, kCachedFor);
    co_return body;
}

} // namespace penguin::control
