// dkim/master_key.h
// The installation's master key: 32 octets from a file or a systemd credential. Never used itself; what it is used for
// gets a key of its own by HKDF. A key-encryption key (encryption_keys.h) is one of the same kind.
//
//   in      a file with 32 raw octets, or 64 hex digits, or base64 of 32 octets (a final line end is allowed)
//   out     derive(label): 32 octets that only this key and this label give; id(): 16 hex digits that name the key
//   limits  one file of at most kKeyFileMax octets, readable by its owner only
//   errors  not_found, denied (others may read or write the file), malformed (none of the forms), local_fault
//   source  RFC 5869 (HKDF-SHA-256)
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace penguin::dkim {

class EncryptionKeys;

class MasterKey {
public:
    static constexpr std::size_t kKeyFileMax = 256; // octets
    static constexpr std::size_t kIdSize = 8;       // octets

    static Result<MasterKey> load(const std::filesystem::path& file);
    // Makes the file (mode 0600, synced to disk) from the kernel's randomness when there is none.
    static Result<MasterKey> load_or_create(const std::filesystem::path& file);
    static Result<MasterKey> parse(std::string_view bytes);
    static MasterKey random();

    MasterKey(const MasterKey&) = default;
    MasterKey& operator=(const MasterKey&) = default;
    ~MasterKey();

    std::array<std::uint8_t, 32> derive(std::string_view label) const;
    std::string id() const;
    std::string raw_id() const; // kIdSize octets

    // The same key, which leaves it to the keys of that file to wrap secrets, and itself only opens what it has wrapped.
    MasterKey with(std::shared_ptr<EncryptionKeys> keys) const;
    // The key that wraps now. The key of that raw id, which may open what it has wrapped; nothing: we do not have it.
    MasterKey wrapping() const;
    std::optional<MasterKey> named(std::string_view raw_id) const;

private:
    explicit MasterKey(const std::array<std::uint8_t, 32>& key) : key_{key} {}
    std::array<std::uint8_t, 32> key_;
    std::shared_ptr<EncryptionKeys> keys_; // nothing: it wraps itself
};

} // namespace penguin::dkim
