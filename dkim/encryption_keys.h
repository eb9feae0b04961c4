// dkim/encryption_keys.h
// Key-encryption keys that are kept apart from the master key, so that they can be changed while it stays: a file of them, looked
// at at each use, so that a rotation needs no restart. Uses are rare (a DKIM key is opened once and kept).
//
//   in       one key a line: 64 hex digits or base64 of 32 octets. Empty lines and lines that begin with # are passed over.
//            The first key wraps, each of them opens.
//   limits   kFileMax octets, kKeysMax keys; the file is its owner's alone
//   threads  any
//   errors   load: not_found, denied, malformed (names the line), too_long (keys), local_fault. A file that turns bad later leaves the
//            keys in use that it had, with an error in the log.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <vector>

#include <sys/types.h>

#include "dkim/master_key.h"

namespace penguin::dkim {

class EncryptionKeys {
public:
    static constexpr std::size_t kFileMax = 4'096; // octets
    static constexpr std::size_t kKeysMax = 8;
    using Keys = std::vector<MasterKey>; // at least one

    static Result<std::shared_ptr<EncryptionKeys>> load(const std::filesystem::path& file);
    static Result<Keys> parse(std::string_view text);
    // As the file is now, or was when it was last right.
    std::shared_ptr<const Keys> keys();

private:
    struct Stamp { // a replaced file has another inode, a written one another time
        ino_t inode = 0;
        off_t size = 0;
        std::int64_t seconds = 0, nanoseconds = 0;
        friend bool operator==(const Stamp&, const Stamp&) = default;
    };
    explicit EncryptionKeys(std::filesystem::path file) : file_{std::move(file)} {}
    Stamp stamp() const;
    Result<Keys> read() const;

    const std::filesystem::path file_;
    std::mutex mutex_;
    Stamp read_as_;
    std::shared_ptr<const Keys> keys_;
};

} // namespace penguin::dkim
