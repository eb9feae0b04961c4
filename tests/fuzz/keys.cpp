// Key files and sealed secrets: what is taken for a key can be used, and nothing opens that we did not seal.
#include "dkim/encryption_keys.h"
#include "dkim/key_pair.h"
#include "dkim/sealed_key.h"
#include "tests/fuzz/check.h"

using namespace penguin;
using fuzz::check;
using namespace penguin::dkim;

namespace {

SecretOwner owner() { return {.tenant = TenantId{}, .kind = "dkim", .id = "example.com/pm1"}; }

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static const MasterKey master = MasterKey::random();
    static const std::string sealed = *seal(master, "secret", owner());
    const std::string_view text{reinterpret_cast<const char*>(data), size};

    for (const Algorithm algorithm : {Algorithm::rsa_sha256, Algorithm::ed25519_sha256}) {
        const Result<KeyHandle> key = open_private_key(algorithm, text);
        if (key) check(public_base64_of(algorithm, key->get()).has_value());
    }
    if (const Result<MasterKey> key = MasterKey::parse(text)) check(key->id().size() == 2 * MasterKey::kIdSize);
    if (const Result<EncryptionKeys::Keys> keys = EncryptionKeys::parse(text))
        check(!keys->empty() && keys->size() <= EncryptionKeys::kKeysMax);

    check(!open_sealed(master, text, owner()));
    // The octets change the sealed text: it opens only as it was.
    std::string changed = sealed;
    for (std::size_t i = 0; i < std::min(size, changed.size()); ++i)
        changed[i] = static_cast<char>(changed[i] ^ text[i]);
    const Result<Secret> opened = open_sealed(master, changed, owner());
    check(opened.has_value() == (changed == sealed));
    if (size <= kSecretMax) {
        const Result<std::string> whole = seal(master, text, owner());
        check(whole.has_value() && open_sealed(master, *whole, owner())->bytes() == text);
    }
    return 0;
}
