#include "control/auth/credential_authenticator.h"

#include <algorithm>

#include "control/auth/openssl.h"
#include "engine/base/log.h"

namespace penguin::control {

namespace {

// What follows "<scheme> ", or nothing. Schemes compare without case (RFC 9110 11.1).
std::optional<std::string_view> after_scheme(std::string_view field, std::string_view scheme)
{
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    if (field.size() <= scheme.size() || field[scheme.size()] != ' ') return std::nullopt;
    if (!std::ranges::equal(field.substr(0, scheme.size()), scheme, {}, lower, lower)) return std::nullopt;
    field.remove_prefix(scheme.size());
    field.remove_prefix(std::min(field.find_first_not_of(' '), field.size()));
    return field;
}

bool is_local(const asio::ip::address& peer) { return peer.is_unspecified() || peer.is_loopback(); }

} // namespace

CredentialAuthenticator::CredentialAuthenticator(ApiKeys& keys, Options options, Registry& metrics)
    : keys_{keys},
      options_{std::move(options)},
      metrics_{metrics}
{
}

awaitable<Result<Principal>> CredentialAuthenticator::authenticate(std::string authorization, asio::ip::address peer)
{
    if (authorization.empty()) co_return fail(Errc::missing, "no credential");
    if (!is_local(peer) && throttle_.refuses(peer, std::chrono::steady_clock::now())) {
        metrics_.counter("penguin_auth_throttled_total", "Requests refused after too many wrong credentials").add();
        co_return fail(Errc::full, "too many wrong credentials");
    }
    Result<Principal> principal = co_await prove(std::move(authorization));
    if (principal || principal.error().code != Errc::denied) co_return principal;
    throttle_.count_failure(peer, std::chrono::steady_clock::now());
    metrics_.counter("penguin_auth_failures_total", "Wrong credentials").add();
    log::warning("auth", "credential_refused",
                 {{"peer", peer.is_unspecified() ? "unix" : peer.to_string()}, {"why", principal.error().detail}});
    co_return principal;
}

awaitable<Result<Principal>> CredentialAuthenticator::prove(std::string authorization)
{
    if (const auto encoded = after_scheme(authorization, "Basic")) {
        Result<ApiKey> key = ApiKey::from_basic(*encoded);
        if (!key) co_return fail(Errc::denied, key.error().detail);
        co_return co_await prove_key(std::move(*key));
    }
    const auto bearer = after_scheme(authorization, "Bearer");
    if (!bearer) co_return fail(Errc::denied, "a scheme that we do not know");
    if (!bearer->starts_with(kApiKeyPrefix)) co_return prove_token(*bearer);
    Result<ApiKey> key = ApiKey::parse(*bearer);
    if (!key) co_return fail(Errc::denied, key.error().detail);
    co_return co_await prove_key(std::move(*key));
}

Result<Principal> CredentialAuthenticator::prove_token(std::string_view token)
{
    if (!options_.jwks) return fail(Errc::denied, "no key set is configured");
    const auto keys = options_.jwks->keys(std::chrono::steady_clock::now());
    return verify_jwt(token, *keys, options_.rules, wall_now());
}

awaitable<Result<StoredApiKey>> CredentialAuthenticator::stored(Uuid id)
{
    const SteadyTime now = std::chrono::steady_clock::now();
    const Kept* kept = kept_.get(id);
    if (kept != nullptr && now < kept->until) co_return kept->key;
    Result<StoredApiKey> found = co_await keys_.find(id);
    if (found) kept_.put(id, Kept{*found, now + kKeyKept});
    co_return found;
}

awaitable<Result<Principal>> CredentialAuthenticator::prove_key(ApiKey key)
{
    const Result<StoredApiKey> known = co_await stored(key.id);
    if (!known && known.error().code == Errc::not_found) co_return fail(Errc::denied, "no such API key");
    if (!known) co_return std::unexpected{known.error()};
    if (!equal_in_constant_time(hash_of(key, options_.hash_key), known->hash))
        co_return fail(Errc::denied, "wrong secret");
    if (known->expires && wall_now() >= *known->expires) co_return fail(Errc::denied, "the API key has expired");
    co_return Principal{.tenant = known->tenant, .scopes = known->scopes, .subject = key.id.text()};
}

} // namespace penguin::control
