// control/auth/jwks_file.h
// The key set in a file, read again when the file changes. A file that cannot be read leaves the old keys in use, with an
// error in the log: a rotation that went wrong must not lock everybody out.
//
//   limits   looks at the file at most every kLookEvery
//   threads  belongs to one
//   errors   load: not_found, local_fault, malformed
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>

#include "control/auth/key_set.h"

namespace penguin::control {

class JwksFile final : public KeySet {
public:
    static constexpr std::chrono::seconds kLookEvery{2};

    static Result<JwksFile> load(std::filesystem::path file, SteadyTime now);
    // As the file is now, or was at the last look.
    std::shared_ptr<const Jwks> keys(SteadyTime now) override;
    awaitable<void> look_again() override { co_return; } // keys() looks often enough

private:
    struct Stamp {
        std::filesystem::file_time_type written;
        std::uintmax_t size = 0;
        friend bool operator==(const Stamp&, const Stamp&) = default;
    };
    JwksFile(std::filesystem::path file, SteadyTime now) : file_{std::move(file)}, looked_{now} {}
    std::optional<Stamp> stamp() const;
    Result<std::shared_ptr<const Jwks>> read() const;

    std::filesystem::path file_;
    SteadyTime looked_;
    std::optional<Stamp> read_as_;
    std::shared_ptr<const Jwks> keys_;
};

} // namespace penguin::control
