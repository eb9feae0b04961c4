#include "control/auth/throttle.h"

#include "control/auth/peer_group.h"

#include <gtest/gtest.h>

namespace penguin::control {
namespace {

using boost::asio::ip::make_address;

const SteadyTime kStart{};

TEST(Throttle, RefusesAPeerAfterItsFailuresUntilTheWindowEnds)
{
    Throttle throttle;
    const auto peer = make_address("192.0.2.1");
    for (unsigned i = 0; i < Throttle::kFailuresMax; ++i) {
        EXPECT_FALSE(throttle.refuses(peer, kStart));
        throttle.count_failure(peer, kStart + std::chrono::seconds{1});
    }
    EXPECT_TRUE(throttle.refuses(peer, kStart + std::chrono::seconds{2}));
    EXPECT_FALSE(throttle.refuses(make_address("192.0.2.2"), kStart + std::chrono::seconds{2}));
    EXPECT_TRUE(throttle.refuses(peer, kStart + std::chrono::seconds{60}));
    EXPECT_FALSE(throttle.refuses(peer, kStart + std::chrono::seconds{61}));
}

TEST(Throttle, ForgetsFailuresThatAreFarApart)
{
    Throttle throttle;
    const auto peer = make_address("192.0.2.1");
    SteadyTime now = kStart;
    for (unsigned i = 0; i < 3 * Throttle::kFailuresMax; ++i) {
        throttle.count_failure(peer, now);
        now += std::chrono::seconds{10};
    }
    EXPECT_FALSE(throttle.refuses(peer, now));
}

TEST(Throttle, TakesAn64OfIPv6ForOnePeer)
{
    Throttle throttle;
    for (unsigned i = 0; i < Throttle::kFailuresMax; ++i)
        throttle.count_failure(make_address("2001:db8::" + std::to_string(i + 1)), kStart);
    EXPECT_TRUE(throttle.refuses(make_address("2001:db8::ffff:1"), kStart));
    EXPECT_FALSE(throttle.refuses(make_address("2001:db8:0:1::1"), kStart));
}

// The server bounds the connections of a peer by the same rule.
TEST(PeerGroup, IsAnIpv4AddressOrAn64)
{
    EXPECT_EQ(peer_group(make_address("192.0.2.1")), make_address("192.0.2.1"));
    EXPECT_EQ(peer_group(make_address("2001:db8:1:2:3:4:5:6")), make_address("2001:db8:1:2::"));
    EXPECT_EQ(peer_group(make_address("::1")), make_address("::1")) << "not the address that stands for unix sockets";
    EXPECT_TRUE(peer_group(make_address("::")).is_unspecified());
}

TEST(Throttle, RemembersABoundedNumberOfPeers)
{
    Throttle throttle;
    const auto first = make_address("192.0.2.1");
    for (unsigned i = 0; i < Throttle::kFailuresMax; ++i) throttle.count_failure(first, kStart);
    for (std::uint32_t i = 0; i < Throttle::kPeersMax; ++i)
        throttle.count_failure(boost::asio::ip::address_v4{0x0A000000U + i}, kStart);
    EXPECT_FALSE(throttle.refuses(first, kStart)) << "the longest unused one went";
}

} // namespace
} // namespace penguin::control
