#include "bench/harness/child.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace penguin::bench {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kLastOctets = 2'000;
constexpr auto kStep = 5ms; // between looks at a child that shall end
constexpr int kCannotRun = 127;

// Between fork and exec: only calls that are safe there.
[[noreturn]] void become(const char* program, char* const* arguments, int log)
{
    ::setsid();
    ::prctl(PR_SET_PDEATHSIG, SIGTERM); // should we be killed
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::dup2(null, STDIN_FILENO);
    ::dup2(log, STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
    ::execv(program, arguments);
    ::_exit(kCannotRun);
}

} // namespace

Child::Child(ChildCommand command) : command_{std::move(command)}
{
    const std::string program = command_.program.string();
    std::vector<std::string> words{program};
    words.insert(words.end(), command_.arguments.begin(), command_.arguments.end());
    std::vector<char*> pointers;
    pointers.reserve(words.size() + 1);
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    const int log = ::open(command_.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (log < 0) throw BenchError{"cannot write " + command_.log.string() + ": " + std::strerror(errno)};
    pid_ = ::fork();
    if (pid_ == 0) become(program.c_str(), pointers.data(), log);
    const int code = errno;
    ::close(log);
    if (pid_ < 0) throw BenchError{"cannot start " + command_.name + ": " + std::strerror(code)};
}

Child::~Child() { stop(); }

bool Child::gone(int options) noexcept
{
    if (status_) return true;
    int status = 0;
    const pid_t found = ::waitpid(pid_, &status, options);
    if (found == 0 || (found < 0 && errno == EINTR)) return false;
    status_ = found < 0 ? 0 : WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
    return true;
}

bool Child::running() { return !gone(WNOHANG); }

void Child::signal(int number)
{
    if (running()) ::kill(pid_, number);
}

bool Child::stop() noexcept
{
    if (gone(WNOHANG)) return true;
    ::kill(pid_, SIGTERM);
    const auto until = std::chrono::steady_clock::now() + command_.grace;
    while (!gone(WNOHANG)) {
        if (std::chrono::steady_clock::now() >= until) {
            ::kill(-pid_, SIGKILL);
            while (!gone(0)) {
            }
            return false;
        }
        std::this_thread::sleep_for(kStep);
    }
    return true;
}

int Child::wait(Patience& patience, std::chrono::seconds limit)
{
    patience.until(limit, command_.name + " ends", [this] { return !running(); }, 5ms);
    return *status_;
}

std::string Child::output() const
{
    std::ifstream file{command_.log};
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

std::string Child::last_words() const
{
    const std::string text = output();
    return text.size() > kLastOctets ? text.substr(text.size() - kLastOctets) : text;
}

std::optional<std::string> output_of(Patience& patience, const std::filesystem::path& program,
                                     const std::vector<std::string>& arguments, const std::filesystem::path& log)
{
    Child child{{.name = program.filename(), .program = program, .arguments = arguments, .log = log, .grace = 5s}};
    if (child.wait(patience, 20s) != 0) return std::nullopt;
    return child.output();
}

} // namespace penguin::bench
