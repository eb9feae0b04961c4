#include "tests/support/dns_server.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace penguin::tests {

namespace {

namespace fs = std::filesystem;
constexpr auto kStartMax = std::chrono::seconds{20};
constexpr auto kStopMax = std::chrono::seconds{5};
constexpr int kStartTries = 5; // another process may take the port between our look and nsd's bind

struct Socket {
    explicit Socket(int type) : fd{::socket(AF_INET, type | SOCK_CLOEXEC, 0)} {}
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    ~Socket() { ::close(fd); }
    int fd;
};

sockaddr_in loopback(std::uint16_t port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

// A port that is free for UDP and TCP.
std::uint16_t free_port()
{
    for (int tries = 0; tries < 100; ++tries) {
        const Socket udp{SOCK_DGRAM};
        const Socket tcp{SOCK_STREAM};
        sockaddr_in address = loopback(0);
        socklen_t size = sizeof address;
        if (::bind(udp.fd, reinterpret_cast<sockaddr*>(&address), size) != 0) continue;
        if (::getsockname(udp.fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) continue;
        if (::bind(tcp.fd, reinterpret_cast<sockaddr*>(&address), size) == 0) return ntohs(address.sin_port);
    }
    throw std::runtime_error{"no free port on 127.0.0.1"};
}

fs::path make_folder()
{
    std::string pattern = (fs::temp_directory_path() / "penguin-nsd-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error{"no temporary folder"};
    return pattern;
}

// In a zone file, white space in front of a line means "the owner of the line above", which no test wants to say.
std::string without_indent(const std::string& text)
{
    std::istringstream lines{text};
    std::string out;
    for (std::string line; std::getline(lines, line);)
        out += line.substr(std::min(line.find_first_not_of(" \t"), line.size())) + "\n";
    return out;
}

} // namespace

DnsServer::DnsServer(const std::vector<Zone>& zones) : folder_{make_folder()}
{
    try {
        for (int tries = 1;; ++tries) {
            port_ = free_port();
            write_files(zones);
            start();
            const auto deadline = std::chrono::steady_clock::now() + kStartMax;
            bool gone = false;
            while (!gone && std::chrono::steady_clock::now() < deadline) {
                if (answers()) {
                    // nsd serves a zone with errors as far as it could read it, or SERVFAIL.
                    if (log_text().contains("error:")) throw std::runtime_error{"nsd: " + log_text()};
                    return;
                }
                gone = ::waitpid(pid_, nullptr, WNOHANG) == pid_;
            }
            if (gone) pid_ = -1;
            stop();
            if (tries == kStartTries || !gone) throw std::runtime_error{"nsd does not start: " + log_text()};
        }
    } catch (...) {
        stop();
        fs::remove_all(folder_);
        throw;
    }
}

DnsServer::~DnsServer()
{
    stop();
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

void DnsServer::write_files(const std::vector<Zone>& zones) const
{
    std::ofstream conf{folder_ / "nsd.conf"};
    const std::string folder = folder_.string();
    conf << "server:\n  ip-address: 127.0.0.1@" << port_ << "\n  port: " << port_ << "\n  server-count: 1\n"
         << "  username: \"\"\n  chroot: \"\"\n  database: \"\"\n  pidfile: \"\"\n  zonesdir: \"" << folder << "\"\n"
         << "  logfile: \"" << folder << "/log\"\n  xfrdfile: \"\"\n  xfrdir: \"" << folder << "\"\n"
         << "  zonelistfile: \"" << folder << "/zone.list\"\n  rrl-ratelimit: 0\n"
         << "remote-control:\n  control-enable: no\n";
    for (std::size_t i = 0; i < zones.size(); ++i) {
        const std::string file = "zone" + std::to_string(i);
        conf << "zone:\n  name: \"" << zones[i].origin << "\"\n  zonefile: \"" << file << "\"\n";
        const std::string origin = zones[i].origin == "." ? "." : zones[i].origin + ".";
        std::ofstream zone{folder_ / file};
        zone << "$ORIGIN " << origin << "\n$TTL 300\n@ 60 IN SOA ns.invalid. admin.invalid. 1 3600 600 86400 30\n"
             << "@ 300 IN NS ns.invalid.\n"
             << without_indent(zones[i].records) << "\n";
    }
}

void DnsServer::start()
{
    const pid_t parent = ::getpid();
    const std::string conf = (folder_ / "nsd.conf").string();
    const std::string output = (folder_ / "output").string();
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error{"fork failed"};
    if (pid_ > 0) return;
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(1);
    const int out = ::open(output.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(out, STDERR_FILENO);
    ::execl("/usr/sbin/nsd", "nsd", "-d", "-c", conf.c_str(), static_cast<char*>(nullptr));
    constexpr char message[] = "/usr/sbin/nsd cannot be run: is the package nsd installed?\n";
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, message, sizeof message - 1);
    ::_exit(127);
}

// Whether something on our port answers a query (which name does not matter).
bool DnsServer::answers() const
{
    constexpr std::array<std::uint8_t, 17> kQuery = {0x4E, 0x53, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 1};
    const Socket udp{SOCK_DGRAM};
    const sockaddr_in address = loopback(port_);
    if (::connect(udp.fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return false;
    if (::send(udp.fd, kQuery.data(), kQuery.size(), 0) < 0) return false;
    pollfd waiting{.fd = udp.fd, .events = POLLIN, .revents = 0};
    std::array<std::uint8_t, 512> answer{};
    if (::poll(&waiting, 1, 100) == 1 && ::recv(udp.fd, answer.data(), answer.size(), 0) >= 12)
        return answer[0] == kQuery[0] && answer[1] == kQuery[1];
    std::this_thread::sleep_for(std::chrono::milliseconds{20}); // refused at once while nsd is still starting
    return false;
}

void DnsServer::stop()
{
    if (pid_ <= 0) return;
    ::kill(pid_, SIGTERM);
    const auto deadline = std::chrono::steady_clock::now() + kStopMax;
    while (::waitpid(pid_, nullptr, WNOHANG) == 0) {
        if (std::chrono::steady_clock::now() > deadline) ::kill(-pid_, SIGKILL);
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    ::kill(-pid_, SIGKILL); // its children, should one be left
    pid_ = -1;
}

std::string DnsServer::log_text() const
{
    std::string text;
    for (const char* name : {"output", "log"}) {
        std::ifstream file{folder_ / name};
        text.append(std::istreambuf_iterator<char>{file}, {});
    }
    return text;
}

} // namespace penguin::tests
