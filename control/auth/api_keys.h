// control/auth/api_keys.h
// The port to where API keys are kept. Real: PgApiKeys; tests: a map.
//   errors  not_found (no such key, revoked, or its tenant is deleted), unavailable, timeout
#pragma once

#include <optional>
#include <set>
#include <string>

#include "engine/base/asio.h"
#include "engine/base/uuid.h"

namespace penguin::control {

struct StoredApiKey {
    std::optional<TenantId> tenant; // nothing: a key of the platform
    std::string hash;               // hash_of
    std::set<std::string, std::less<>> scopes;
    std::optional<WallTime> expires;
};

class ApiKeys {
public:
    virtual ~ApiKeys() = default;
    virtual awaitable<Result<StoredApiKey>> find(Uuid id) = 0;
};

} // namespace penguin::control
