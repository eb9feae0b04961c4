#include "bench/harness/nameserver.h"

#include <array>
#include <fstream>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/harness/places.h"

namespace penguin::bench {

namespace {

using namespace std::chrono_literals;

constexpr const char* kProgram = "/usr/sbin/nsd";
constexpr std::size_t kTxtMax = 250; // octets of one string of a TXT record; 255 may be

void write(const std::filesystem::path& file, const std::string& text)
{
    std::ofstream out{file};
    out << text;
    out.close();
    if (!out) throw BenchError{"cannot write " + file.string()};
}

std::string configuration(const std::string& folder, const std::string& address, std::uint16_t port)
{
    return fmt::format("server:\n  ip-address: {3}@{1}\n  zonesdir: \"{0}\"\n  database: \"\"\n  username: \"\"\n"
                       "  pidfile: \"\"\n  zonelistfile: \"{0}/zone.list\"\n  xfrdfile: \"{0}/xfrd.state\"\n"
                       "  xfrdir: \"{0}\"\n  server-count: 1\n  rrl-ratelimit: 0\n  logfile: \"{0}/nsd.log\"\n"
                       "remote-control:\n  control-enable: no\nzone:\n  name: \"{2}\"\n  zonefile: \"{2}\"\n",
                       folder, port, kZone, address);
}

} // namespace

std::string recipient_domain(std::size_t number) { return fmt::format("d{}.{}", number, kZone); }
std::string sender_domain(std::size_t number) { return fmt::format("t{}.{}", number, kZone); }
std::string site_host(std::size_t number) { return fmt::format("mx{}.{}", number, kZone); }
std::string source_host(std::size_t number) { return fmt::format("out{}.{}", number, kZone); }

std::string mx_records(std::size_t domains, std::size_t sites)
{
    std::string records;
    for (std::size_t site = 0; site < sites; ++site)
        records += fmt::format("{}. A {}\n", site_host(site), site_address(site));
    for (std::size_t domain = 0; domain < domains; ++domain)
        records += fmt::format("{}. MX 10 {}.\n", recipient_domain(domain), site_host(domain % sites));
    return records;
}

std::string txt_record(const std::string& name, const std::string& value)
{
    std::string record = name + ". TXT";
    for (std::size_t at = 0; at < value.size(); at += kTxtMax) {
        record += " \"";
        for (const char octet : value.substr(at, kTxtMax)) {
            if (octet == '"' || octet == '\\') record += '\\';
            record += octet;
        }
        record += '"';
    }
    return record + "\n";
}

Nameserver::Nameserver(std::filesystem::path folder, std::uint16_t port, std::string address)
    : folder_{std::move(folder)},
      port_{port},
      address_{std::move(address)}
{
    if (!std::filesystem::exists(kProgram)) throw BenchError{"no nsd here: ./dev setup installs it"};
    std::filesystem::create_directories(folder_);
}

void Nameserver::start(Patience& patience, const std::string& records)
{
    write(folder_ / kZone, fmt::format("$ORIGIN {0}.\n$TTL 3600\n@ SOA ns.{0}. admin.{0}. 1 3600 600 86400 60\n"
                                       "@ NS ns\nns A 127.0.0.1\n{1}",
                                       kZone, records));
    write(folder_ / "nsd.conf", configuration(folder_.string(), address_, port_));
    child_ = std::make_unique<Child>(ChildCommand{.name = "nsd",
                                                  .program = kProgram,
                                                  .arguments = {"-d", "-c", (folder_ / "nsd.conf").string()},
                                                  .log = folder_ / "nsd.out",
                                                  .grace = 10s});
    child_->wait_ready(patience, 30s, [this] { return answers(); });
}

// Asks for the zone's SOA.
bool Nameserver::answers() const
{
    std::string question{"\x12\x34\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00", 12};
    question += "\x05"
                "bench"
                "\x04"
                "test";
    question += std::string{"\x00\x00\x06\x00\x01", 5};
    const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const timeval patience{.tv_sec = 0, .tv_usec = 100'000};
    ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(port_);
    ::inet_pton(AF_INET, address_.c_str(), &name.sin_addr);
    std::array<char, 512> answer{};
    constexpr ssize_t kHeader = 12;
    const bool good = ::connect(socket, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0 &&
                      ::send(socket, question.data(), question.size(), 0) > 0 &&
                      ::recv(socket, answer.data(), answer.size(), 0) > kHeader && (answer[3] & 0x0F) == 0;
    ::close(socket);
    return good;
}

} // namespace penguin::bench
