#include "bench/drain/signed_bound.h"

#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "bench/harness/bare_rsa.h"

namespace penguin::bench {
namespace {

using namespace std::chrono_literals;

TEST(SignedBound, AllCoresSignAndCarryMessages)
{
    const SignedBound bound{.rsa2048_us = 250, .unsigned_us = 150, .cores = 2};
    EXPECT_DOUBLE_EQ(bound.messages_per_second(), 5'000);
    const boost::json::object told = to_json(bound, 3'000);
    EXPECT_EQ(boost::json::serialize(told),
              R"({"rsa2048_us":2.5E2,"unsigned_us":1.5E2,"messages_per_second":5E3,"share":6E-1})");
}

TEST(SignedBound, ABareSignatureHasATime)
{
    Patience patience{60s};
    EXPECT_GT(bare_rsa_us(patience), 0);
}

} // namespace
} // namespace penguin::bench
