#include "control/daemon/secrets.h"

#include <cstdlib>

#include "control/auth/principal.h"
#include "control/db/audit_entry.h"
#include "dkim/encryption_keys.h"
#include "dkim/secret.h"
#include "engine/base/log.h"

namespace penguin::control {

namespace {

constexpr const char* kCount = "select count(*) as keys from control.platform_keys where revoked is null";
constexpr const char* kInsert =
    "insert into control.platform_keys (id, name, hash, scopes, created) values ($1, $2, $3, $4, $5)";

// systemd gives each unit a directory that nobody else can read. The mode of the files in it is systemd's business.
Result<std::optional<dkim::MasterKey>> from_credential()
{
    const char* const folder = std::getenv("CREDENTIALS_DIRECTORY");
    if (!folder) return std::nullopt;
    Result<std::string> bytes =
        read_small_file(std::filesystem::path{folder} / kMasterKeyCredential, dkim::MasterKey::kKeyFileMax);
    if (!bytes && bytes.error().code == Errc::not_found) return std::nullopt;
    if (!bytes) return std::unexpected{bytes.error()};
    const dkim::Secret secret{std::move(*bytes)};
    const Result<dkim::MasterKey> key = dkim::MasterKey::parse(secret.bytes());
    if (!key) return fail(key.error(), "the credential master-key");
    return *key;
}

// Errors: not_found when there is none.
Result<dkim::MasterKey> load_given(const KeysConfig& keys, const StateDir& dir)
{
    if (!keys.master_key_file.empty()) return dkim::MasterKey::load(keys.master_key_file);
    const Result<std::optional<dkim::MasterKey>> given = from_credential();
    if (!given) return std::unexpected{given.error()};
    if (*given) return **given;
    return dkim::MasterKey::load(dir.master_key());
}

std::vector<std::string> platform_scopes() { return {kPlatformScopes.begin(), kPlatformScopes.end()}; }

} // namespace

Result<dkim::MasterKey> load_master_key(const KeysConfig& keys, const StateDir& dir)
{
    Result<dkim::MasterKey> root = load_given(keys, dir);
    if (!root && root.error().code == Errc::not_found && keys.master_key_file.empty())
        root = dkim::MasterKey::load_or_create(dir.master_key());
    if (!root || keys.encryption_keys_file.empty()) return root;
    Result<std::shared_ptr<dkim::EncryptionKeys>> apart = dkim::EncryptionKeys::load(keys.encryption_keys_file);
    if (!apart) return std::unexpected{apart.error()};
    return root->with(std::move(*apart));
}

Result<dkim::MasterKey> load_encryption_keys(const KeysConfig& keys, const StateDir& dir)
{
    Result<std::shared_ptr<dkim::EncryptionKeys>> apart = dkim::EncryptionKeys::load(keys.encryption_keys_file);
    if (!apart) return std::unexpected{apart.error()};
    Result<dkim::MasterKey> root = load_given(keys, dir);
    if (!root && root.error().code == Errc::not_found) root = (*apart)->keys()->front();
    if (!root) return root;
    return root->with(std::move(*apart));
}

awaitable<Result<bool>> ensure_admin_key(db::PgPool& control, const ApiKeyHashKey& hash_key, const StateDir& dir,
                                         WallTime now)
{
    co_return co_await db::as_platform(control, [&hash_key, &dir, now](db::Transaction& tx) -> awaitable<Result<bool>> {
        const Result<db::Rows> counted = co_await tx.query(kCount);
        if (!counted) co_return std::unexpected{counted.error()};
        if (counted->front().get<std::int64_t>("keys") > 0) co_return false;
        const ApiKey key = ApiKey::make(now);
        if (const Result<> written = write_small_file(dir.admin_key(), key.text() + "\n"); !written)
            co_return std::unexpected{written.error()};
        db::Params params{key.id, "bootstrap", db::Bytes{hash_of(key, hash_key)}, platform_scopes(), now};
        const Result<db::Rows> inserted = co_await tx.query(kInsert, std::move(params));
        if (!inserted) co_return std::unexpected{inserted.error()};
        const Result<> noted = co_await db::append_audit(tx, {.time = now,
                                                              .action = "platform_key.created",
                                                              .actor = "first-start",
                                                              .resource = "platform-key/" + key.id.text()});
        if (!noted) co_return std::unexpected{noted.error()};
        log::info("daemon", "admin_key_created", {{"id", key.id.text()}, {"file", dir.admin_key().string()}});
        co_return true;
    });
}

} // namespace penguin::control
