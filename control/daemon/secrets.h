// control/daemon/secrets.h
// Where the master key comes from, and the first key that opens the API.
//
//   master   keys.master_key_file; else the systemd credential "master-key"; else <state_dir>/master.key, made when absent.
//            With keys.encryption_keys_file, the keys of that file wrap secrets for it.
//   admin    a platform API key in <state_dir>/admin-key (0600), made when the installation has no platform key. The file is
//            written before the row: a crash between them leaves a key that opens nothing, and the next start makes another.
//   errors   those of dkim::MasterKey and of the database
#pragma once

#include "control/auth/api_key.h"
#include "control/daemon/config.h"
#include "control/daemon/state_dir.h"
#include "control/db/pg_pool.h"
#include "dkim/master_key.h"
#include "engine/base/asio.h"

namespace penguin::control {

inline constexpr const char* kMasterKeyCredential = "master-key";

Result<dkim::MasterKey> load_master_key(const KeysConfig& keys, const StateDir& dir);
// For a command beside the daemon: makes no file. Where there is no master key it opens what the encryption keys have
// wrapped, and nothing else may be derived from it.
Result<dkim::MasterKey> load_encryption_keys(const KeysConfig& keys, const StateDir& dir);

// True when it made one. `control` as pm_api.
awaitable<Result<bool>> ensure_admin_key(db::PgPool& control, const ApiKeyHashKey& hash_key, const StateDir& dir,
                                         WallTime now);

} // namespace penguin::control
