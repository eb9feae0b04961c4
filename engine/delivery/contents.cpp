#include "engine/delivery/contents.h"

#include <optional>

#include <boost/asio/co_spawn.hpp>

namespace penguin::delivery {

namespace {

constexpr std::chrono::seconds kFetchLimit{30};

std::string key_of(const TenantId& tenant, const ContentId& id) { return tenant.value().text() + id.value(); }

Result<ContentPtr> compile(std::string_view json)
{
    Result<Content> content = parse_content(json);
    if (!content) return std::unexpected{content.error()};
    return CompiledContent::compile(std::move(*content));
}

} // namespace

struct Contents::Wait {
    explicit Wait(const asio::any_io_executor& executor) : done{executor, asio::steady_timer::time_point::max()} {}
    asio::steady_timer done; // cancelled when `result` is there
    std::optional<Result<ContentPtr>> result;
};

Contents::Contents(asio::any_io_executor home, ContentSource& source, WorkerPool& workers, std::size_t octets_max)
    : home_{std::move(home)},
      source_{source},
      workers_{workers},
      kept_{octets_max}
{
}

ContentPtr Contents::kept(const Key& key)
{
    const std::lock_guard lock{mutex_};
    const ContentPtr* found = kept_.get(key);
    return found == nullptr ? nullptr : *found;
}

ContentPtr Contents::at_hand(const TenantId& tenant, const ContentId& id) { return kept(key_of(tenant, id)); }

awaitable<Result<ContentPtr>> Contents::get(TenantId tenant, ContentId id)
{
    if (ContentPtr content = at_hand(tenant, id)) co_return content;
    Result<ContentPtr> content =
        co_await asio::co_spawn(home_, get_at_home(tenant, std::move(id)), asio::use_awaitable);
    co_return content;
}

awaitable<Result<ContentPtr>> Contents::get_at_home(TenantId tenant, ContentId id)
{
    const Key key = key_of(tenant, id);
    if (ContentPtr content = kept(key)) co_return content;
    if (const auto found = fetching_.find(key); found != fetching_.end()) {
        const std::shared_ptr<Wait> wait = found->second;
        co_await wait->done.async_wait(use_result);
        if (wait->result) co_return *wait->result;
        co_return fail(Errc::cancelled, "stopping");
    }
    const auto wait = std::make_shared<Wait>(home_);
    fetching_.emplace(key, wait);
    Result<ContentPtr> content = co_await fetch(tenant, std::move(id));
    if (content) {
        const std::lock_guard lock{mutex_};
        kept_.put(key, *content, (*content)->cost());
    }
    wait->result = content;
    wait->done.cancel();
    fetching_.erase(key);
    co_return content;
}

awaitable<Result<ContentPtr>> Contents::fetch(TenantId tenant, ContentId id)
{
    Result<std::string> json = co_await within(kFetchLimit, "content", source_.content(tenant, std::move(id)));
    if (!json) co_return std::unexpected{json.error()};
    Result<ContentPtr> content = co_await workers_.run([&json] { return compile(*json); });
    co_return content;
}

} // namespace penguin::delivery
