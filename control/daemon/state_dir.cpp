#include "control/daemon/state_dir.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "engine/base/uuid.h"

namespace penguin::control {

namespace {

std::unexpected<Error> fault(std::string_view doing, const std::filesystem::path& path, int code)
{
    return fail(Errc::local_fault, fmt::format("{} {}: {}", doing, path.string(), std::strerror(code)));
}

class File {
public:
    File(const std::filesystem::path& path, int flags, unsigned mode = 0600)
        : file_{::open(path.c_str(), flags | O_CLOEXEC, mode)}
    {
    }
    ~File()
    {
        if (file_ >= 0) ::close(file_);
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    int get() const { return file_; }
    int release() { return std::exchange(file_, -1); }

private:
    int file_;
};

bool write_all(int file, std::string_view text)
{
    while (!text.empty()) {
        const ssize_t count = ::write(file, text.data(), text.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

std::string run_text(std::string_view node, std::string_view state) { return fmt::format("{} {}\n", node, state); }

Result<> make_private(const std::filesystem::path& dir)
{
    std::error_code code;
    std::filesystem::create_directories(dir.parent_path(), code);
    if (::mkdir(dir.c_str(), 0700) != 0 && errno != EEXIST) return fault("cannot create", dir, errno);
    if (::access(dir.c_str(), R_OK | W_OK | X_OK) != 0) return fault("cannot use", dir, errno);
    return {};
}

} // namespace

Result<> StateDir::create() const
{
    if (Result<> made = make_private(path_); !made) return made;
    if (Result<> made = make_private(run()); !made) return made;
    // Who gets into run/ can talk to both stores: no one but us, whatever it was before.
    if (::chmod(run().c_str(), 0700) != 0) return fault("cannot set the mode of", run(), errno);
    return {};
}

Result<StateLock> StateLock::take(const StateDir& dir)
{
    File file{dir.lock(), O_RDWR | O_CREAT};
    if (file.get() < 0) return fault("cannot open", dir.lock(), errno);
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return fault("cannot lock", dir.lock(), errno);
        const Result<std::string> holder = read_small_file(dir.lock());
        return fail(Errc::refused, fmt::format("another penguin-mta runs in {} (process {})", dir.path().string(),
                                               holder ? *holder : "unknown"));
    }
    if (::ftruncate(file.get(), 0) != 0 || !write_all(file.get(), std::to_string(::getpid())))
        return fault("cannot write", dir.lock(), errno);
    return StateLock{file.release()};
}

StateLock::~StateLock()
{
    if (file_ >= 0) ::close(file_);
}

bool crashed_before(const StateDir& dir, std::string_view node)
{
    const Result<std::string> text = read_small_file(dir.last_run());
    return text && *text == run_text(node, "running");
}

Result<> write_running(const StateDir& dir, std::string_view node)
{
    return write_small_file(dir.last_run(), run_text(node, "running"));
}

Result<> write_stopped(const StateDir& dir, std::string_view node)
{
    return write_small_file(dir.last_run(), run_text(node, "stopped"));
}

Result<std::string> state_identity(const StateDir& dir)
{
    const Result<std::string> known = read_small_file(dir.identity());
    if (known || known.error().code != Errc::not_found) return known;
    std::string made = Uuid::v7(wall_now()).text();
    if (Result<> written = write_small_file(dir.identity(), made); !written) return std::unexpected{written.error()};
    return made;
}

Result<> write_small_file(const std::filesystem::path& path, std::string_view text, unsigned mode)
{
    const std::filesystem::path next = path.string() + ".new";
    {
        File file{next, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode};
        if (file.get() < 0) return fault("cannot create", next, errno);
        if (!write_all(file.get(), text) || ::fsync(file.get()) != 0) return fault("cannot write", next, errno);
    }
    if (::rename(next.c_str(), path.c_str()) != 0) return fault("cannot replace", path, errno);
    const File dir{path.parent_path(), O_RDONLY | O_DIRECTORY};
    if (dir.get() < 0 || ::fsync(dir.get()) != 0) return fault("cannot sync", path.parent_path(), errno);
    return {};
}

Result<std::string> read_small_file(const std::filesystem::path& path, std::size_t max)
{
    const File file{path, O_RDONLY};
    if (file.get() < 0 && errno == ENOENT) return fail(Errc::not_found, fmt::format("{} is not there", path.string()));
    if (file.get() < 0) return fault("cannot open", path, errno);
    std::string text(max + 1, '\0');
    std::size_t size = 0;
    while (size < text.size()) {
        const ssize_t count = ::read(file.get(), text.data() + size, text.size() - size);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return fault("cannot read", path, errno);
        if (count == 0) break;
        size += static_cast<std::size_t>(count);
    }
    if (size > max) return fail(Errc::too_long, fmt::format("{} is larger than {} octets", path.string(), max));
    text.resize(size);
    return text;
}

} // namespace penguin::control
