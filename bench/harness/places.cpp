#include "bench/harness/places.h"

#include <algorithm>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/harness/patience.h"

namespace penguin::bench {

namespace {

constexpr std::size_t kPathMax = 60; // octets; a socket in it may have 107
constexpr std::size_t kAddressesABlock = 250;
constexpr std::uint16_t kPortsFrom = 20'000;
constexpr std::uint16_t kPortsTo = 32'000;

std::string address_in(std::size_t block, std::size_t number)
{
    return fmt::format("127.{}.{}.{}", block, number / kAddressesABlock, 1 + number % kAddressesABlock);
}

bool is_free(const std::string& address, std::uint16_t port, int kind)
{
    const int socket = ::socket(AF_INET, kind | SOCK_CLOEXEC, 0);
    const int yes = kind == SOCK_STREAM ? 1 : 0; // a connection of an earlier run in TIME_WAIT does not count
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(port);
    ::inet_pton(AF_INET, address.c_str(), &name.sin_addr);
    const bool bound = ::bind(socket, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0;
    ::close(socket);
    return bound;
}

bool open_to_all(std::filesystem::path folder)
{
    while (true) {
        struct stat state{};
        if (::stat(folder.c_str(), &state) != 0 || (state.st_mode & S_IXOTH) == 0) return false;
        if (folder == folder.root_path()) return true;
        folder = folder.parent_path();
    }
}

} // namespace

std::string site_address(std::size_t number) { return address_in(10, number); }

std::string relayed_address(std::size_t number) { return address_in(11, number); }

std::string source_address(std::size_t number) { return address_in(20, number); }

std::uint16_t free_port(const std::vector<std::string>& addresses)
{
    static auto next = static_cast<std::uint16_t>(kPortsFrom + ::getpid() % 5'000); // never the same one twice
    while (next < kPortsTo) {
        const std::uint16_t port = next++;
        const bool all = std::ranges::all_of(addresses, [port](const std::string& address) {
            return is_free(address, port, SOCK_STREAM) && is_free(address, port, SOCK_DGRAM);
        });
        if (all) return port;
    }
    throw BenchError{"no free port between 20000 and 32000"};
}

WorldFolder::WorldFolder(const std::filesystem::path& work)
{
    std::filesystem::create_directories(work);
    const std::filesystem::path whole = std::filesystem::canonical(work);
    const bool fits = whole.native().size() <= kPathMax && open_to_all(whole);
    std::string name = ((fits ? whole : std::filesystem::path{"/var/tmp"}) / "penguin-bench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw BenchError{"cannot make a folder in " + name};
    path_ = name;
    std::filesystem::permissions(path_, std::filesystem::perms{0755});
}

WorldFolder::~WorldFolder()
{
    std::error_code ignored;
    if (!kept_) std::filesystem::remove_all(path_, ignored);
}

} // namespace penguin::bench
