#include "control/daemon/child_process.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <fmt/format.h>

#include "engine/base/log.h"

namespace penguin::control {

struct ChildProcess::State {
    State(const asio::any_io_executor& executor, std::string child_name, pid_t child)
        : name{std::move(child_name)},
          pid{child},
          handle{executor},
          output{executor}
    {
    }

    std::string name;
    pid_t pid;
    bool running = true;
    asio::posix::stream_descriptor handle; // pidfd: readable once the process has ended
    asio::posix::stream_descriptor output;
    std::deque<std::string> last_lines;
};

namespace {

// What the child needs after fork, made before it: between fork and exec nothing may allocate.
struct Launch {
    const char* program;
    std::vector<char*> arguments;
    const char* work_dir;
    int death_signal;
    int output;
    int failure; // a pipe that says errno when exec did not happen
};

constexpr std::array<const char*, 4> kEnvironment{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "TZ=UTC",
                                                  nullptr};

[[noreturn]] void run_child(const Launch& launch, pid_t parent)
{
    const auto give_up = [&launch] {
        const int code = errno;
        [[maybe_unused]] const ssize_t written = ::write(launch.failure, &code, sizeof code);
        ::_exit(127);
    };
    ::setsid();
    if (::prctl(PR_SET_PDEATHSIG, launch.death_signal) != 0) give_up();
    if (::getppid() != parent) ::_exit(127); // it died before we could ask to be told
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); // ours may bind low ports; a store has no need to
    const int in = ::open("/dev/null", O_RDONLY);
    if (in < 0 || ::dup2(in, 0) < 0 || ::dup2(launch.output, 1) < 0 || ::dup2(launch.output, 2) < 0) give_up();
    if (::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0 || ::chdir(launch.work_dir) != 0) give_up();
    ::execve(launch.program, launch.arguments.data(), const_cast<char* const*>(kEnvironment.data()));
    give_up();
    ::_exit(127);
}

struct Pipe {
    std::array<int, 2> ends{-1, -1};
    bool open() { return ::pipe2(ends.data(), O_CLOEXEC) == 0; }
    int release_read() { return std::exchange(ends[0], -1); }
    void close_write() { ::close(std::exchange(ends[1], -1)); }
    ~Pipe()
    {
        for (const int end : ends)
            if (end >= 0) ::close(end);
    }
};

// 0 when exec happened: the pipe closed without a word.
int exec_failure(int pipe)
{
    int code = 0;
    ssize_t count = 0;
    do count = ::read(pipe, &code, sizeof code);
    while (count < 0 && errno == EINTR);
    return count == sizeof code ? code : 0;
}

std::string text_of_status(int status)
{
    if (WIFSIGNALED(status)) return fmt::format("killed by signal {}", WTERMSIG(status));
    return fmt::format("exit status {}", WEXITSTATUS(status));
}

void hear(std::deque<std::string>& last_lines, const std::string& name, std::string line)
{
    if (line.empty()) return;
    log::info(name, "says", {{"line", line}});
    last_lines.push_back(std::move(line));
    if (last_lines.size() > ChildProcess::kLastLines) last_lines.pop_front();
}

// Until the last holder of the pipe has closed it.
awaitable<void> forward_output(std::shared_ptr<void> keep, asio::posix::stream_descriptor& output,
                               std::deque<std::string>& last_lines, const std::string& name)
{
    std::string line;
    std::array<char, 4096> buffer{};
    while (true) {
        const auto [code, count] = co_await output.async_read_some(asio::buffer(buffer), use_result);
        if (code) break;
        for (const char c : std::string_view{buffer.data(), count}) {
            if (c == '\n')
                hear(last_lines, name, std::exchange(line, {}));
            else if (line.size() < ChildProcess::kLineMax)
                line += c;
        }
    }
    hear(last_lines, name, std::move(line));
}

} // namespace

Result<ChildProcess> ChildProcess::start(const asio::any_io_executor& executor, const ChildCommand& command)
{
    const auto fault = [&command](std::string_view doing, int code) {
        return fail(Errc::local_fault, fmt::format("{} {}: {}", doing, command.program.string(), std::strerror(code)));
    };
    if (::syscall(SYS_gettid) != ::getpid()) return fail(Errc::local_fault, "child processes start on the main thread");
    Pipe output;
    Pipe failure;
    if (!output.open() || !failure.open()) return fault("pipe for", errno);

    std::vector<std::string> words = command.arguments;
    words.insert(words.begin(), command.called.empty() ? command.program.string() : command.called);
    Launch launch{command.program.c_str(), {}, command.work_dir.c_str(), command.death_signal, output.ends[1],
                  failure.ends[1]};
    for (std::string& word : words) launch.arguments.push_back(word.data());
    launch.arguments.push_back(nullptr);

    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0) return fault("cannot fork for", errno);
    if (pid == 0) run_child(launch, parent);

    output.close_write();
    failure.close_write();
    if (const int code = exec_failure(failure.ends[0]); code != 0) {
        ::waitpid(pid, nullptr, 0);
        return fault("cannot execute", code);
    }
    const int handle = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
    if (handle < 0) {
        const int code = errno;
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
        return fault("cannot watch", code);
    }
    auto state = std::make_shared<State>(executor, command.name, pid);
    state->handle.assign(handle);
    state->output.assign(output.release_read());
    asio::co_spawn(executor, forward_output(state, state->output, state->last_lines, state->name), asio::detached);
    return ChildProcess{std::move(state)};
}

pid_t ChildProcess::pid() const { return state_->pid; }
bool ChildProcess::running() const { return state_->running; }

awaitable<std::string> ChildProcess::ended()
{
    const std::shared_ptr<State> state = state_;
    int status = 0;
    pid_t buried = 0;
    while (buried == 0) {
        // A wait may end although nothing has happened (seen: an event of a closed descriptor whose place in the reactor
        // this one got), so the process itself is asked, without waiting for it here.
        const auto [code] = co_await state->handle.async_wait(asio::posix::stream_descriptor::wait_read, use_result);
        if (code) co_return "not watched any more: " + code.message();
        buried = ::waitpid(state->pid, &status, WNOHANG);
        if (buried < 0 && errno == EINTR) buried = 0;
    }
    state->running = false;
    co_return buried < 0 ? std::string{"ended, and nobody knows how"} : text_of_status(status);
}

void ChildProcess::signal(int number) const
{
    if (state_->running) ::kill(state_->pid, number);
}

void ChildProcess::signal_group(int number) const
{
    if (state_->running) ::kill(-state_->pid, number);
}

std::string ChildProcess::last_words() const { return fmt::format("{}", fmt::join(state_->last_lines, " | ")); }

std::vector<pid_t> processes_in(const std::filesystem::path& dir)
{
    std::vector<pid_t> found;
    std::error_code code;
    const std::filesystem::path real = std::filesystem::canonical(dir, code);
    if (code) return found;
    for (const auto& entry : std::filesystem::directory_iterator{"/proc", code}) {
        const std::string name = entry.path().filename().string();
        pid_t pid = 0;
        const auto [end, status] = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (status != std::errc{} || end != name.data() + name.size() || pid == ::getpid()) continue;
        std::error_code unreadable; // another user's process, or one that has just ended
        if (std::filesystem::read_symlink(entry.path() / "cwd", unreadable) == real) found.push_back(pid);
    }
    return found;
}

} // namespace penguin::control
