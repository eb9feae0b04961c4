// dkim/private_file.h
// Files that hold keys: read only when they are their owner's alone. Inside dkim only.
//   errors  not_found, denied (others may read or write the file), malformed (not a file, over `max` octets), local_fault;
//           detail begins with `what` and the file
#pragma once

#include <filesystem>
#include <string_view>

#include <unistd.h>

#include "dkim/secret.h"
#include "engine/base/result.h"

namespace penguin::dkim {

class Descriptor {
public:
    explicit Descriptor(int fd) : fd_{fd} {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor()
    {
        if (fd_ >= 0) ::close(fd_);
    }
    int get() const { return fd_; }

private:
    int fd_;
};

std::unexpected<Error> system_error(std::string_view what, const std::filesystem::path& file, std::string_view doing,
                                    int code);
Result<Secret> read_private_file(std::string_view what, const std::filesystem::path& file, std::size_t max);

} // namespace penguin::dkim
