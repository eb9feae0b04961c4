#include "tests/engine/queue/redis_server.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string_view>
#include <thread>

namespace penguin::test {

namespace {

// Whether it answers, and no longer with "LOADING".
bool answers(const std::string& socket_path)
{
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, socket_path.c_str(), sizeof address.sun_path - 1);
    bool good = false;
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
        std::array<char, 64> answer{};
        good = ::write(fd, "PING\r\n", 6) == 6 && ::read(fd, answer.data(), answer.size() - 1) > 0 &&
               std::string_view{answer.data()}.substr(0, 5) != "-LOAD"; // -NOAUTH is an answer too
    }
    ::close(fd);
    return good;
}

} // namespace

namespace {

bool is_free(unsigned port)
{
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    const bool free = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    return free;
}

} // namespace

unsigned free_port()
{
    constexpr unsigned kBus = 10'000;
    constexpr unsigned kFirst = 20'000,
                       kPorts = 2'700; // with the bus below 32,768, where clients of other tests get theirs
    for (unsigned i = 0; i < kPorts; ++i) {
        const unsigned port = kFirst + (static_cast<unsigned>(getpid()) * 53 + i) % kPorts;
        if (is_free(port) && is_free(port + kBus)) return port;
    }
    throw std::runtime_error("no free port");
}

RedisServer::RedisServer(std::vector<std::string> more, std::vector<std::string> environment)
    : more_{std::move(more)},
      environment_{std::move(environment)}
{
    std::string pattern = (std::filesystem::temp_directory_path() / "penguin-redis-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    folder_ = pattern;
    socket_ = folder_ + "/redis.sock";
    start();
}

RedisServer::~RedisServer()
{
    end(SIGKILL);
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

queue::RedisUrl RedisServer::url() const
{
    queue::RedisUrl url;
    url.path = socket_;
    return url;
}

void RedisServer::start()
{
    std::vector<std::string> arguments{"redis-server",
                                       "--port",
                                       "0",
                                       "--unixsocket",
                                       socket_,
                                       "--dir",
                                       folder_,
                                       "--appendonly",
                                       "yes",
                                       "--save",
                                       "",
                                       "--maxmemory",
                                       "1gb",
                                       "--maxmemory-policy",
                                       "noeviction",
                                       "--logfile",
                                       folder_ + "/redis.log"};
    arguments.insert(arguments.end(), more_.begin(), more_.end());
    std::vector<char*> raw;
    for (std::string& argument : arguments) raw.push_back(argument.data());
    raw.push_back(nullptr);
    const pid_t parent = getpid();
    pid_ = fork();
    if (pid_ < 0) throw std::runtime_error("fork failed");
    if (pid_ == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); // a test that crashes leaves nothing behind
        if (getppid() != parent) _exit(1);
        const int null = open("/dev/null", O_RDWR);
        dup2(null, 0);
        dup2(null, 1);
        for (std::string& name_and_value : environment_) putenv(name_and_value.data());
        execvp(raw[0], raw.data());
        _exit(127);
    }
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (!answers(socket_)) {
        int status = 0;
        if (waitpid(pid_, &status, WNOHANG) == pid_) {
            pid_ = -1;
            throw std::runtime_error("redis-server ended at once, see its log in " + folder_);
        }
        if (std::chrono::steady_clock::now() > until) throw std::runtime_error("redis-server does not answer");
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
}

void RedisServer::end(int signal)
{
    if (pid_ <= 0) return;
    ::kill(pid_, signal);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
}

void RedisServer::stop() { end(SIGTERM); }
void RedisServer::kill() { end(SIGKILL); }

std::string RedisServer::cli(const std::string& arguments) const
{
    const std::string line = "redis-cli -s " + socket_ + " " + arguments + " 2>&1";
    FILE* pipe = popen(line.c_str(), "r");
    if (pipe == nullptr) throw std::runtime_error("redis-cli does not start");
    std::string out;
    std::array<char, 4096> buffer{};
    while (const std::size_t size = fread(buffer.data(), 1, buffer.size(), pipe)) out.append(buffer.data(), size);
    pclose(pipe);
    while (out.ends_with('\n')) out.pop_back();
    return out;
}

} // namespace penguin::test
