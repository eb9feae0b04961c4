#include "dkim/private_file.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>

#include <fmt/format.h>

namespace penguin::dkim {

std::unexpected<Error> system_error(std::string_view what, const std::filesystem::path& file, std::string_view doing,
                                    int code)
{
    const Errc kind = code == ENOENT ? Errc::not_found : code == EACCES ? Errc::denied : Errc::local_fault;
    return fail(kind, fmt::format("{} {}: {}: {}", what, file.string(), doing, std::strerror(code)));
}

Result<Secret> read_private_file(std::string_view what, const std::filesystem::path& file, std::size_t max)
{
    const Descriptor fd{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
    if (fd.get() < 0) return system_error(what, file, "opening", errno);
    struct stat status{};
    if (::fstat(fd.get(), &status) != 0) return system_error(what, file, "reading", errno);
    if (!S_ISREG(status.st_mode)) return fail(Errc::malformed, fmt::format("{} {}: not a file", what, file.string()));
    if ((status.st_mode & 077) != 0)
        return fail(Errc::denied, fmt::format("{} {}: others than its owner may use it (mode {:o}); set mode 0600",
                                              what, file.string(), status.st_mode & 0777));
    std::string bytes(max + 1, '\0');
    std::size_t size = 0;
    while (size < bytes.size()) {
        const ssize_t count = ::read(fd.get(), bytes.data() + size, bytes.size() - size);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return system_error(what, file, "reading", errno);
        if (count == 0) break;
        size += static_cast<std::size_t>(count);
    }
    bytes.resize(size);
    Secret secret{std::move(bytes)};
    if (size > max) return fail(Errc::malformed, fmt::format("{} {}: over {} octets", what, file.string(), max));
    return secret;
}

} // namespace penguin::dkim
