#include "control/daemon/part_options.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace penguin::control {
namespace {

const auto kPublic = asio::ip::make_address("9.9.9.9");

// Gives the process a network of its own, and this address in it. False: the kernel does not let us.
bool become_machine_at(const asio::ip::address& address)
{
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return false;
    const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ifreq request{};
    std::string{"lo"}.copy(request.ifr_name, IFNAMSIZ - 1);
    auto* in = reinterpret_cast<sockaddr_in*>(&request.ifr_addr);
    in->sin_family = AF_INET;
    in->sin_addr.s_addr = htonl(address.to_v4().to_uint());
    const bool done = ::ioctl(socket, SIOCSIFADDR, &request) == 0;
    ::close(socket);
    return done;
}

// In a child, which ends with it.
enum Answer : std::uint8_t { right = 0, wrong = 1, no_namespace = 2 };
[[noreturn]] void judge_own_address()
{
    const bool before = target_rule({}).permits(kPublic);
    if (!become_machine_at(kPublic)) ::_exit(no_namespace);
    const bool after = target_rule({}).permits(kPublic);
    const bool allowed = target_rule({"9.9.9.0/24"}).permits(kPublic);
    ::_exit(before && !after && allowed ? right : wrong);
}

// Of mail servers and of what is fetched over HTTPS.
TEST(TargetRules, ForbidTheAddressesOfThisMachine)
{
    EXPECT_EXIT(judge_own_address(), testing::ExitedWithCode(right), "");
}

TEST(TargetRules, PermitWhatIsPublicAndWhatIsNamed)
{
    EXPECT_TRUE(target_rule({}).permits(kPublic));
    EXPECT_FALSE(target_rule({}).permits(asio::ip::make_address("10.1.2.3")));
    EXPECT_TRUE(target_rule({"10.1.0.0/16"}).permits(asio::ip::make_address("10.1.2.3")));
}

} // namespace
} // namespace penguin::control
