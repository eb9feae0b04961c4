#include "control/fetch/jwks_url.h"

#include "engine/base/log.h"

namespace penguin::control::fetch {

JwksUrl::JwksUrl(Options options, Registry& metrics)
    : options_{std::move(options)},
      read_{
          metrics.counter("penguin_jwks_fetches_total", "Times that the key set was asked for", {{"result", "read"}})},
      not_read_{
          metrics.counter("penguin_jwks_fetches_total", "Times that the key set was asked for", {{"result", "failed"}})}
{
}

std::shared_ptr<const Jwks> JwksUrl::keys(SteadyTime now) { return now - fetched_ < kKeptMax ? keys_ : nullptr; }

awaitable<void> JwksUrl::look_again()
{
    const bool soon = asked_ && options_.now() - *asked_ < kLookAgainEvery;
    if (soon && flights_.flights() == 0) co_return;
    co_await refresh();
}

awaitable<Result<JwksUrl::Keys>> JwksUrl::refresh()
{
    Result<Keys> keys = co_await flights_.run(options_.name, [this] { return fetch(); });
    co_return keys;
}

awaitable<Result<JwksUrl::Keys>> JwksUrl::fetch()
{
    asked_ = options_.now();
    const Result<std::string> text = co_await options_.get();
    Result<Jwks> keys = text ? Jwks::parse(*text) : std::unexpected{text.error()};
    if (!keys) {
        not_read_.add();
        log::warning("auth", "jwks_not_read", {{"url", options_.name}, {"why", keys.error().detail}});
        co_return std::unexpected{keys.error()};
    }
    read_.add();
    keys_ = std::make_shared<const Jwks>(std::move(*keys));
    fetched_ = options_.now();
    log::info("auth", "jwks_read", {{"url", options_.name}, {"keys", keys_->size()}});
    co_return keys_;
}

awaitable<void> JwksUrl::run()
{
    bool more = true;
    while (more) {
        const Result<Keys> keys = co_await refresh();
        const Duration pause = keys ? Duration{kRefreshEvery} : Duration{kRetryEvery};
        more = !stopped_ && co_await sleep_for(pause) && !stopped_;
    }
}

void JwksUrl::stop()
{
    stopped_ = true;
    flights_.stop();
}

} // namespace penguin::control::fetch
