#include "control/auth/credential_authenticator.h"

#include <algorithm>

#include "control/auth/openssl.h"
#include "control/auth/peer_group.h"
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

CredentialAuthenticator::CredentialAuthenticator(ApiKeys& keys, Options options, audit::SecurityEvents& events,
                                                 Registry& metrics)
    : keys_{keys},
      options_{std::move(options)},
      events_{events},
      metrics_{metrics}
{
}

void CredentialAuthenticator::tell(audit::SecurityAction action, const asio::ip::address& peer, std::string why)
{
    events_.note({.kind = {.action = action, .peer = peer_group_text(peer), .actor = "", .why = std::move(why)},
                  .time = wall_now()});
}

awaitable<Result<Principal>> CredentialAuthenticator::authenticate(std::string authorization, asio::ip::address peer)
{
    if (authorization.empty()) co_return fail(Errc::missing, "no credential");
    const bool throttled = !is_local(peer) && throttle_.refuses(peer, options_.now());
    const Looks looks = throttled ? Looks::in_memory : Looks::anywhere;
    std::expected<Principal, Refused> principal = co_await prove(std::move(authorization), looks);
    if (principal) co_return std::move(*principal);
    const Error& why = principal.error().error;
    if (why.code != Errc::denied) co_return std::unexpected{why};
    if (throttled) {
        metrics_.counter("penguin_auth_throttled_total", "Requests refused after too many wrong credentials").add();
        tell(audit::SecurityAction::auth_throttled, peer, "");
        co_return fail(Errc::full, "too many wrong credentials");
    }
    throttle_.count_failure(peer, options_.now());
    metrics_.counter("penguin_auth_failures_total", "Wrong credentials").add();
    log::warning("auth", "credential_refused", {{"peer", peer_text(peer)}, {"why", why.detail}});
    tell(principal.error().action, peer, why.detail);
    co_return std::unexpected{why};
}

awaitable<std::expected<Principal, CredentialAuthenticator::Refused>>
CredentialAuthenticator::prove(std::string authorization, Looks looks)
{
    const auto refused = [](const Error& error) {
        return std::unexpected{Refused{error.code == Errc::malformed ? Error{Errc::denied, error.detail} : error}};
    };
    const auto encoded = after_scheme(authorization, "Basic");
    const auto bearer = after_scheme(authorization, "Bearer");
    if (!encoded && !bearer) co_return refused({Errc::denied, "a scheme that we do not know"});
    if (bearer && !bearer->starts_with(kApiKeyPrefix)) co_return co_await prove_token(std::string{*bearer}, looks);
    Result<ApiKey> key = encoded ? ApiKey::from_basic(*encoded) : ApiKey::parse(*bearer);
    if (!key) co_return refused(key.error());
    Result<Principal> principal = co_await prove_key(std::move(*key), looks);
    if (!principal) co_return refused(principal.error());
    co_return std::move(*principal);
}

awaitable<std::expected<Principal, CredentialAuthenticator::Refused>>
CredentialAuthenticator::prove_token(std::string token, Looks looks)
{
    if (!options_.jwks) co_return std::unexpected{Refused{{Errc::denied, "no key set is configured"}}};
    KeySet& set = *options_.jwks;
    const auto judged = [&]() -> std::optional<std::expected<Principal, TokenRefused>> {
        const auto keys = set.keys(options_.now());
        if (!keys) return std::nullopt;
        return verify_jwt(token, *keys, options_.rules, wall_now());
    };
    auto principal = judged();
    const bool may_come = !principal || (!*principal && principal->error().unknown_key);
    if (may_come && looks == Looks::anywhere) {
        co_await set.look_again();
        principal = judged();
    }
    if (!principal) co_return std::unexpected{Refused{{Errc::unavailable, "the key set cannot be read"}}};
    if (*principal) co_return std::move(**principal);
    const bool forged = principal->error().fault == TokenFault::forged;
    co_return std::unexpected{
        Refused{{Errc::denied, std::move(principal->error().detail)},
                forged ? audit::SecurityAction::auth_forged_token : audit::SecurityAction::auth_failed}};
}

awaitable<Result<StoredApiKey>> CredentialAuthenticator::stored(Uuid id)
{
    const SteadyTime now = options_.now();
    const Kept* kept = kept_.get(id);
    if (kept != nullptr && now < kept->until) co_return kept->key;
    Result<StoredApiKey> found = co_await keys_.find(id);
    if (found) kept_.put(id, Kept{*found, now + kKeyKept});
    if (!found && found.error().code == Errc::not_found) kept_.erase(id);
    co_return found;
}

// Whatever its age: who has the secret of a key is no guesser.
bool CredentialAuthenticator::is_remembered(const ApiKey& key, std::string_view hash)
{
    const Kept* kept = kept_.get(key.id);
    return kept != nullptr && equal_in_constant_time(hash, kept->key.hash);
}

awaitable<Result<Principal>> CredentialAuthenticator::prove_key(ApiKey key, Looks looks)
{
    const std::string hash = hash_of(key, options_.hash_key);
    if (looks == Looks::in_memory && !is_remembered(key, hash))
        co_return fail(Errc::denied, "no API key that we remember");
    const Result<StoredApiKey> known = co_await stored(key.id);
    if (!known && known.error().code == Errc::not_found) co_return fail(Errc::denied, "no such API key");
    if (!known) co_return std::unexpected{known.error()};
    if (!equal_in_constant_time(hash, known->hash)) co_return fail(Errc::denied, "wrong secret");
    if (known->expires && wall_now() >= *known->expires) co_return fail(Errc::denied, "the API key has expired");
    co_return Principal{.tenant = known->tenant, .scopes = known->scopes, .subject = key.id.text()};
}

} // namespace penguin::control
