#include "dkim/master_key.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include "dkim/encryption_keys.h"
#include "dkim/private_file.h"
#include "engine/mail/base64.h"

namespace penguin::dkim {

namespace {

constexpr std::string_view kWhat = "master key";

int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

Result<std::string> from_hex(std::string_view text)
{
    std::string out;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
        const int high = hex_digit(text[i]);
        const int low = hex_digit(text[i + 1]);
        if (high < 0 || low < 0) return fail(Errc::malformed, "not hex");
        out += static_cast<char>(high << 4 | low);
    }
    return out;
}

Result<> write_all(int fd, const std::filesystem::path& file, const std::array<std::uint8_t, 32>& bytes)
{
    std::size_t written = 0;
    while (written < bytes.size()) {
        const ssize_t count = ::write(fd, bytes.data() + written, bytes.size() - written);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return system_error(kWhat, file, "writing", errno);
        written += static_cast<std::size_t>(count);
    }
    if (::fsync(fd) != 0) return system_error(kWhat, file, "syncing", errno);
    return {};
}

// Written aside and linked into place, so that no crash leaves half a key under the name.
Result<> create(const std::filesystem::path& file, const std::array<std::uint8_t, 32>& bytes)
{
    const std::filesystem::path aside = file.string() + fmt::format(".new-{}", ::getpid());
    {
        const Descriptor fd{::open(aside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
        if (fd.get() < 0) return system_error(kWhat, aside, "creating", errno);
        if (Result<> done = write_all(fd.get(), aside, bytes); !done) {
            ::unlink(aside.c_str());
            return done;
        }
    }
    const int linked = ::link(aside.c_str(), file.c_str()) == 0 ? 0 : errno;
    ::unlink(aside.c_str());
    if (linked != 0 && linked != EEXIST) return system_error(kWhat, file, "creating", linked);
    const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path{"."};
    const Descriptor fd{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (fd.get() < 0 || ::fsync(fd.get()) != 0) return system_error(kWhat, folder, "syncing", errno);
    return {};
}

} // namespace

Result<MasterKey> MasterKey::load(const std::filesystem::path& file)
{
    const Result<Secret> bytes = read_private_file(kWhat, file, kKeyFileMax);
    if (!bytes) return std::unexpected{bytes.error()};
    Result<MasterKey> key = parse(bytes->bytes());
    if (!key) return fail(key.error(), fmt::format("{} {}", kWhat, file.string()));
    return key;
}

Result<MasterKey> MasterKey::load_or_create(const std::filesystem::path& file)
{
    Result<MasterKey> there = load(file);
    if (there || there.error().code != Errc::not_found) return there;
    const MasterKey made = random();
    if (Result<> done = create(file, made.key_); !done) return std::unexpected{done.error()};
    return load(file); // ours, or that of a process that was faster
}

Result<MasterKey> MasterKey::parse(std::string_view bytes)
{
    std::string decoded{bytes};
    if (bytes.size() != 32) {
        while (bytes.ends_with('\n') || bytes.ends_with('\r')) bytes.remove_suffix(1);
        Result<std::string> text = bytes.size() == 64 ? from_hex(bytes) : from_base64(bytes);
        decoded = text ? std::move(*text) : std::string{};
    }
    if (decoded.size() != 32)
        return fail(Errc::malformed, "neither 32 octets nor 64 hex digits nor base64 of 32 octets");
    std::array<std::uint8_t, 32> key{};
    std::memcpy(key.data(), decoded.data(), key.size());
    OPENSSL_cleanse(decoded.data(), decoded.size());
    MasterKey out{key};
    OPENSSL_cleanse(key.data(), key.size());
    return out;
}

MasterKey MasterKey::random()
{
    std::array<std::uint8_t, 32> key{};
    if (RAND_bytes(key.data(), static_cast<int>(key.size())) != 1)
        throw std::bad_alloc{}; // no entropy: nothing can go on
    MasterKey out{key};
    OPENSSL_cleanse(key.data(), key.size());
    return out;
}

MasterKey::~MasterKey() { OPENSSL_cleanse(key_.data(), key_.size()); }

std::array<std::uint8_t, 32> MasterKey::derive(std::string_view label) const
{
    std::array<std::uint8_t, 32> out{};
    std::string info = "penguin-mta/1/" + std::string{label};
    std::array<std::uint8_t, 32> key = key_;
    char digest[] = "SHA256";
    const std::array<OSSL_PARAM, 4> parameters{
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key.data(), key.size()),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data(), info.size()), OSSL_PARAM_construct_end()};
    EVP_KDF* kdf = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
    EVP_KDF_CTX* context = EVP_KDF_CTX_new(kdf);
    const int done = EVP_KDF_derive(context, out.data(), out.size(), parameters.data());
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    OPENSSL_cleanse(key.data(), key.size());
    if (done != 1) throw std::bad_alloc{}; // OpenSSL without HKDF or memory: a key of zeros must never be used
    return out;
}

std::string MasterKey::raw_id() const
{
    const std::array<std::uint8_t, 32> name = derive("key-id");
    return {reinterpret_cast<const char*>(name.data()), kIdSize};
}

std::string MasterKey::id() const
{
    std::string hex;
    for (const char c : raw_id()) fmt::format_to(std::back_inserter(hex), "{:02x}", static_cast<unsigned char>(c));
    return hex;
}

MasterKey MasterKey::with(std::shared_ptr<EncryptionKeys> keys) const
{
    MasterKey out{*this};
    out.keys_ = std::move(keys);
    return out;
}

MasterKey MasterKey::wrapping() const { return keys_ ? keys_->keys()->front() : *this; }

std::optional<MasterKey> MasterKey::named(std::string_view raw_id) const
{
    if (raw_id == this->raw_id()) return *this;
    if (!keys_) return std::nullopt;
    const auto keys = keys_->keys();
    const auto found = std::ranges::find_if(*keys, [&](const MasterKey& key) { return key.raw_id() == raw_id; });
    if (found == keys->end()) return std::nullopt;
    return *found;
}

} // namespace penguin::dkim
