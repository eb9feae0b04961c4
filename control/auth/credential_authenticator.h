// control/auth/credential_authenticator.h
// Bearer tokens (JWT or pm_live_ key) and Basic pairs (key id and secret) -> Principal.
//
//   caches   what is stored of a key, for kKeyKept: a revoked one works at most that long; kKeysCachedMax keys. A key that is
//            not there is not remembered, so a new one works at once.
//   throttle wrong credentials by peer (throttle.h). Loopback and unix peers are counted and not refused: there one
//            address is everybody behind a proxy, who would be locked out by one.
//   log      no credential, no part of one; the key's id only once it is proved. What is refused is also told to `events`.
//   errors   those of Authenticator
#pragma once

#include <expected>
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
    };
    CredentialAuthenticator(ApiKeys& keys, Options options, audit::SecurityEvents& events, Registry& metrics);

    awaitable<Result<Principal>> authenticate(std::string authorization, asio::ip::address peer) override;

private:
    struct Kept {
        StoredApiKey key;
        SteadyTime until;
    };
    struct Refused {
        Error error;
        audit::SecurityAction action = audit::SecurityAction::auth_failed; // when the error is denied
    };
    awaitable<std::expected<Principal, Refused>> prove(std::string authorization);
    awaitable<Result<Principal>> prove_key(ApiKey key);
    awaitable<std::expected<Principal, Refused>> prove_token(std::string token);
    void tell(audit::SecurityAction action, const asio::ip::address& peer, std::string why);
    awaitable<Result<StoredApiKey>> stored(Uuid id);

    ApiKeys& keys_;
    Options options_;
    audit::SecurityEvents& events_;
    Registry& metrics_;
    Throttle throttle_;
    LruCache<Uuid, Kept> kept_{kKeysCachedMax};
};

} // namespace penguin::control
