// control/auth/pg_api_keys.h
// API keys in PostgreSQL: control.api_keys of the tenants, control.platform_keys of the platform.
#pragma once

#include "control/auth/api_keys.h"
#include "control/db/pg_pool.h"

namespace penguin::control {

class PgApiKeys final : public ApiKeys {
public:
    explicit PgApiKeys(db::PgPool& control) : control_{control} {}
    awaitable<Result<StoredApiKey>> find(Uuid id) override;

private:
    db::PgPool& control_;
};

} // namespace penguin::control
