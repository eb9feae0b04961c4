// control/daemon/key_rotation.h
// `penguin-mta rotate-kek`: wraps anew every sealed secret that another key has wrapped than the first one of
// keys.encryption_keys_file, while the nodes go on. packaging/README.md has the whole procedure.
//
//   step     at most kSecretsAStep secrets of one tenant, in one transaction that also counts the settings up: the nodes take
//            them over at their next look
//   cut      a step is done whole or not at all, and every secret opens before and after: a rotation that was cut is run again
//            and does what is left
//   beside   a secret that is made meanwhile is wrapped by its maker; one that is changed or deleted waits for the step
//   errors   unavailable, timeout, denied (database). A secret that does not open stays as it is and is named.
#pragma once

#include <string>
#include <vector>

#include "control/daemon/config.h"
#include "control/db/pg_pool.h"
#include "dkim/master_key.h"
#include "engine/base/asio.h"

namespace penguin::control {

inline constexpr std::size_t kSecretsAStep = 100;
inline constexpr std::size_t kTenantsAPage = 500;

struct KeyRotation {
    std::size_t wrapped = 0;
    std::vector<std::string> unopened; // "<tenant> <domain>/<selector>: why"
};

// `control` as pm_api.
awaitable<Result<KeyRotation>> rotate_encryption_key(db::PgPool& control, const dkim::MasterKey& master);

// The command: exit status 0 when every secret is wrapped by the first key.
int run_key_rotation(const Config& config);

} // namespace penguin::control
