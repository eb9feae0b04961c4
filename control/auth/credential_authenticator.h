// control/auth/credential_authenticator.h
// Bearer tokens (JWT or pm_live_ key) and Basic pairs (key id and secret) -> Principal.
//
//   caches   what is stored of a key, for kKeyKept: a revoked one works at most that long; kKeysCachedMax keys. A key that is
//            not there is not remembered, so a new one works at once. What was read longer ago lets nobody in; it only tells
//            whose key a throttled peer may have.
//   throttle wrong credentials by peer (throttle.h). Many may share its address, so what a throttled peer brings is still
//            proved, but costs no look outside: a token against the key set as it is; a key against what was read of it,
//            whenever that was, and only when it is right are its rights looked up as ever. What fails is refused as full.
//            Loopback and unix peers are counted and not throttled: there one address is everybody behind a proxy.
//   log      no credential, no part of one; the key's id only once it is proved. What is refused is also told to `events`.
//   errors   those of Authenticator
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <optional>

#include "control/audit/security_events.h"
#include "control/auth/api_key.h"
#include "control/auth/api_keys.h"
#include "control/auth/authenticator.h"
#include "control/auth/jwt.h"
#include "control/auth/key_set.h"
#include "control/auth/throttle.h"
#include "engine/base/metrics.h"

namespace penguin::control {

class CredentialAuthenticator final : public Authenticator {
public:
    static constexpr std::chrono::seconds kKeyKept{3};
    static constexpr std::size_t kKeysCachedMax = 10'000;

    struct Options {
        ApiKeyHashKey hash_key{};
        std::shared_ptr<KeySet> jwks; // null: API keys only
        JwtRules rules;
        std::function<SteadyTime()> now = std::chrono::steady_clock::now;
    };
    CredentialAuthenticator(ApiKeys& keys, Options options, audit::SecurityEvents& events, Registry& metrics);

    awaitable<Result<Principal>> authenticate(std::string authorization, asio::ip::address peer) override;

private:
    struct Kept {
        StoredApiKey key;
        SteadyTime until;
    };
    enum class Looks : std::uint8_t { anywhere, in_memory }; // to tell whether a credential may be right
    struct Refused {
        Error error;
        audit::SecurityAction action = audit::SecurityAction::auth_failed; // when the error is denied
    };
    awaitable<std::expected<Principal, Refused>> prove(std::string authorization, Looks looks);
    awaitable<Result<Principal>> prove_key(ApiKey key, Looks looks);
    awaitable<std::expected<Principal, Refused>> prove_token(std::string token, Looks looks);
    void tell(audit::SecurityAction action, const asio::ip::address& peer, std::string why);
    awaitable<Result<StoredApiKey>> stored(Uuid id);
    bool is_remembered(const ApiKey& key, std::string_view hash);

    ApiKeys& keys_;
    Options options_;
    audit::SecurityEvents& events_;
    Registry& metrics_;
    Throttle throttle_;
    LruCache<Uuid, Kept> kept_{kKeysCachedMax};
};

} // namespace penguin::control
