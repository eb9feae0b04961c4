#include "dkim/sealed_key.h"

#include <array>
#include <memory>

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

namespace penguin::dkim {

namespace {

constexpr char kFormat = 1;
constexpr std::size_t kKeyIdSize = MasterKey::kIdSize;
constexpr std::size_t kNonceSize = 12;
constexpr std::size_t kTagSize = 16;
constexpr std::size_t kKeySize = 32;
constexpr std::size_t kBoxSize = kNonceSize + kTagSize; // around a plain text
constexpr std::size_t kHeadSize = 1 + kKeyIdSize;
constexpr std::size_t kWrappedSize = kBoxSize + kKeySize;

struct FreeCipher {
    void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
};
using CipherHandle = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;

unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

void append_sized(std::string_view part, std::string& out)
{
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(part.size() >> shift & 0xFF);
    out += part;
}

std::string associated(std::string_view purpose, std::string_view head, const SecretOwner& owner)
{
    const auto& tenant = owner.tenant.value().bytes();
    std::string out;
    append_sized(purpose, out);
    append_sized(head, out);
    append_sized({reinterpret_cast<const char*>(tenant.data()), tenant.size()}, out);
    append_sized(owner.kind, out);
    append_sized(owner.id, out);
    append_sized(std::to_string(owner.version), out);
    return out;
}

// nonce | cipher text | tag
Result<std::string> encrypt(std::string_view key, std::string_view plain, std::string_view aad)
{
    std::string out(kBoxSize + plain.size(), '\0');
    unsigned char* at = bytes_of(out);
    const CipherHandle cipher{EVP_CIPHER_CTX_new()};
    int length = 0;
    if (!cipher || RAND_bytes(at, kNonceSize) != 1 ||
        EVP_EncryptInit_ex2(cipher.get(), EVP_aes_256_gcm(), bytes_of(key), at, nullptr) != 1 ||
        EVP_EncryptUpdate(cipher.get(), nullptr, &length, bytes_of(aad), static_cast<int>(aad.size())) != 1 ||
        EVP_EncryptUpdate(cipher.get(), at + kNonceSize, &length, bytes_of(plain), static_cast<int>(plain.size())) !=
            1 ||
        EVP_EncryptFinal_ex(cipher.get(), at + kNonceSize + length, &length) != 1 ||
        EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_GET_TAG, kTagSize, at + kNonceSize + plain.size()) != 1)
        return fail(Errc::local_fault, "sealing: AES-256-GCM failed");
    return out;
}

Result<Secret> decrypt(std::string_view key, std::string_view box, std::string_view aad)
{
    Secret plain{std::string(box.size() - kBoxSize, '\0')};
    auto* at = reinterpret_cast<unsigned char*>(const_cast<char*>(plain.bytes().data()));
    std::string tag{box.substr(box.size() - kTagSize)};
    const std::string_view text = box.substr(kNonceSize, box.size() - kBoxSize);
    const CipherHandle cipher{EVP_CIPHER_CTX_new()};
    int length = 0;
    if (!cipher || EVP_DecryptInit_ex2(cipher.get(), EVP_aes_256_gcm(), bytes_of(key), bytes_of(box), nullptr) != 1 ||
        EVP_DecryptUpdate(cipher.get(), nullptr, &length, bytes_of(aad), static_cast<int>(aad.size())) != 1 ||
        EVP_DecryptUpdate(cipher.get(), at, &length, bytes_of(text), static_cast<int>(text.size())) != 1 ||
        EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_SET_TAG, kTagSize, tag.data()) != 1)
        return fail(Errc::local_fault, "opening a sealed secret: AES-256-GCM failed");
    if (EVP_DecryptFinal_ex(cipher.get(), at + length, &length) != 1)
        return fail(Errc::denied, "sealed secret: it was changed, or belongs to another owner or version");
    return plain;
}

Secret key_encryption_key(const MasterKey& key)
{
    std::array<std::uint8_t, kKeySize> derived = key.derive("key-encryption");
    Secret out{std::string{reinterpret_cast<const char*>(derived.data()), derived.size()}};
    OPENSSL_cleanse(derived.data(), derived.size());
    return out;
}

std::string head_of(const MasterKey& key) { return kFormat + key.raw_id(); }

std::string hex_of(std::string_view bytes)
{
    std::string out;
    for (const char c : bytes) fmt::format_to(std::back_inserter(out), "{:02x}", static_cast<unsigned char>(c));
    return out;
}

} // namespace

Result<std::string> seal(const MasterKey& key, std::string_view secret, const SecretOwner& owner)
{
    if (secret.size() > kSecretMax) return fail(Errc::too_long, fmt::format("secret over {} octets", kSecretMax));
    std::string random(kKeySize, '\0');
    if (RAND_bytes(bytes_of(random), kKeySize) != 1) return fail(Errc::local_fault, "sealing: no random octets");
    const Secret data_key{std::move(random)};
    const MasterKey wrapping = key.wrapping();
    const Secret outer_key = key_encryption_key(wrapping);
    const std::string head = head_of(wrapping);
    Result<std::string> wrapped = encrypt(outer_key.bytes(), data_key.bytes(), associated("wrap", head, owner));
    if (!wrapped) return wrapped;
    Result<std::string> sealed = encrypt(data_key.bytes(), secret, associated("data", head, owner));
    if (!sealed) return sealed;
    return head + *wrapped + *sealed;
}

Result<Secret> open_sealed(const MasterKey& key, std::string_view sealed, const SecretOwner& owner)
{
    if (sealed.size() < kHeadSize + kWrappedSize + kBoxSize ||
        sealed.size() > kHeadSize + kWrappedSize + kBoxSize + kSecretMax)
        return fail(Errc::malformed, "sealed secret: wrong length");
    if (sealed.front() != kFormat)
        return fail(Errc::malformed,
                    fmt::format("sealed secret: format {} is not known", static_cast<int>(sealed.front())));
    const std::optional<MasterKey> wrapped_by = key.named(sealed.substr(1, kKeyIdSize));
    if (!wrapped_by)
        return fail(Errc::denied, fmt::format("sealed secret: it needs the master key {}, ours is {}",
                                              hex_of(sealed.substr(1, kKeyIdSize)), key.wrapping().id()));
    const std::string head = head_of(*wrapped_by);
    const Secret outer_key = key_encryption_key(*wrapped_by);
    Result<Secret> data_key =
        decrypt(outer_key.bytes(), sealed.substr(kHeadSize, kWrappedSize), associated("wrap", head, owner));
    if (!data_key) return data_key;
    return decrypt(data_key->bytes(), sealed.substr(kHeadSize + kWrappedSize), associated("data", head, owner));
}

std::string sealed_head(const MasterKey& key) { return head_of(key.wrapping()); }

Result<std::string> seal_again(const MasterKey& key, std::string_view sealed, const SecretOwner& owner)
{
    const Result<Secret> secret = open_sealed(key, sealed, owner);
    if (!secret) return std::unexpected{secret.error()};
    return seal(key, secret->bytes(), owner);
}

} // namespace penguin::dkim
