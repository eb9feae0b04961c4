#include "control/daemon/process_user.h"

#include <cerrno>
#include <cstring>
#include <vector>

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace penguin::control {

namespace {

struct User {
    std::string name;
    uid_t uid = 0;
    gid_t gid = 0;
};

Result<User> find_user(const std::string& name)
{
    std::vector<char> buffer(16 * 1024);
    passwd entry{};
    passwd* found = nullptr;
    const int code = ::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
    if (code != 0) return fail(Errc::local_fault, fmt::format("looking up the user {}: {}", name, std::strerror(code)));
    if (!found)
        return fail(Errc::not_found,
                    fmt::format("no user {}: create it (useradd --system --user-group --no-create-home --home-dir "
                                "/var/lib/penguin-mta --shell /usr/sbin/nologin {}) or name another with --user",
                                name, name));
    if (entry.pw_uid == 0) return fail(Errc::denied, fmt::format("{} is root: the daemon never runs as root", name));
    return User{name, entry.pw_uid, entry.pw_gid};
}

// Takes a new directory, or one of root's; never one of a third user.
Result<> hand_over(const std::filesystem::path& dir, const User& user)
{
    std::error_code ignored;
    std::filesystem::create_directories(dir.parent_path(), ignored);
    if (::mkdir(dir.c_str(), 0700) != 0 && errno != EEXIST)
        return fail(Errc::local_fault, fmt::format("cannot create {}: {}", dir.string(), std::strerror(errno)));
    struct stat state{};
    if (::lstat(dir.c_str(), &state) != 0 || !S_ISDIR(state.st_mode))
        return fail(Errc::denied, fmt::format("{} is no directory", dir.string()));
    if (state.st_uid == user.uid) return {};
    if (state.st_uid != 0)
        return fail(Errc::denied, fmt::format("{} belongs to another user than {}", dir.string(), user.name));
    // A slip of the pen such as --state-dir /etc must not give away what is in use.
    if (!std::filesystem::is_empty(dir, ignored) || ignored)
        return fail(Errc::denied,
                    fmt::format("{} belongs to root and is not empty: give it to {} yourself (chown) if it "
                                "is a state directory",
                                dir.string(), user.name));
    if (::chown(dir.c_str(), user.uid, user.gid) != 0)
        return fail(Errc::local_fault,
                    fmt::format("cannot give {} to {}: {}", dir.string(), user.name, std::strerror(errno)));
    return {};
}

Result<> drop_root(const User& user)
{
    // Groups first: afterwards we could not any more.
    if (::initgroups(user.name.c_str(), user.gid) != 0 || ::setresgid(user.gid, user.gid, user.gid) != 0 ||
        ::setresuid(user.uid, user.uid, user.uid) != 0)
        return fail(Errc::local_fault, fmt::format("cannot become {}: {}", user.name, std::strerror(errno)));
    if (::setuid(0) == 0) return fail(Errc::local_fault, "root could be taken back");
    return {};
}

} // namespace

Result<> become_user(const std::string& user, const std::filesystem::path& state_dir)
{
    const bool root = ::geteuid() == 0;
    if (!root && user.empty()) return {};
    const Result<User> found = find_user(user.empty() ? kServiceUser : user);
    if (!found) return std::unexpected{found.error()};
    if (!root) {
        if (::geteuid() == found->uid) return {};
        return fail(Errc::denied, fmt::format("only root can start the daemon as {}", found->name));
    }
    if (Result<> given = hand_over(state_dir, *found); !given) return given;
    if (Result<> dropped = drop_root(*found); !dropped) return dropped;
    if (::access(state_dir.c_str(), R_OK | W_OK | X_OK) != 0)
        return fail(Errc::denied, fmt::format("{} cannot be reached by {}: look at the directories above it",
                                              state_dir.string(), found->name));
    return {};
}

} // namespace penguin::control
