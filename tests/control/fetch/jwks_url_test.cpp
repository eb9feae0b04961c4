// The key set at a URL: what is fetched when, and what holds while it is away. The clock and the fetch are the test's.
#include "control/fetch/jwks_url.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "tests/support/run.h"

namespace penguin::control::fetch {
namespace {

using namespace std::chrono_literals;

std::string one_key(const std::string& kid)
{
    return R"({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": ")" + kid +
           R"(", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})";
}

class JwksUrlTest : public testing::Test {
protected:
    asio::io_context io_;
    Registry metrics_;
    SteadyTime now_{1h};
    Result<std::string> answer_{one_key("one")};
    int fetched_ = 0;
    JwksUrl set_{{.get = [this] { return get(); }, .name = "https://keys.example/", .now = [this] { return now_; }},
                 metrics_};

    awaitable<Result<std::string>> get()
    {
        ++fetched_;
        co_await asio::post(asio::use_awaitable); // others come meanwhile
        co_return answer_;
    }
    void look_again() { tests::run(io_, looked()); }
    awaitable<Result<>> looked()
    {
        co_await set_.look_again();
        co_return Result<>{};
    }
    bool knows(const std::string& kid)
    {
        const auto keys = set_.keys(now_);
        return keys && keys->find(kid) != nullptr;
    }
};

TEST_F(JwksUrlTest, HasNoKeysBeforeTheFirstAnswer)
{
    EXPECT_EQ(set_.keys(now_), nullptr);
    look_again();
    EXPECT_TRUE(knows("one"));
}

TEST_F(JwksUrlTest, LooksForANewKeyButNotOften)
{
    look_again();
    answer_ = one_key("two");
    now_ += 29s;
    look_again();
    EXPECT_EQ(fetched_, 1);
    EXPECT_FALSE(knows("two"));
    now_ += 1s;
    look_again();
    EXPECT_EQ(fetched_, 2);
    EXPECT_TRUE(knows("two"));
    EXPECT_FALSE(knows("one"));
}

TEST_F(JwksUrlTest, WhoComesMeanwhileWaitsForTheSameFetch)
{
    int done = 0;
    for (int i = 0; i < 20; ++i)
        asio::co_spawn(io_, set_.look_again(), [&](const std::exception_ptr& /*none*/) {
            ++done;
            EXPECT_TRUE(knows("one"));
        });
    io_.run();
    EXPECT_EQ(done, 20);
    EXPECT_EQ(fetched_, 1);
}

TEST_F(JwksUrlTest, KeepsTheKeysForADayWhileItIsAwayOrBroken)
{
    look_again();
    for (const Result<std::string>& wrong :
         {Result<std::string>{fail(Errc::timeout, "away")}, Result<std::string>{"{"}}) {
        answer_ = wrong;
        now_ += 1h;
        look_again();
        EXPECT_TRUE(knows("one"));
    }
    now_ += 22h - 1s;
    EXPECT_TRUE(knows("one"));
    now_ += 1s;
    EXPECT_EQ(set_.keys(now_), nullptr);
    EXPECT_TRUE(metrics_.expose().contains("penguin_jwks_fetches_total{result=\"failed\"} 2")) << metrics_.expose();
}

TEST_F(JwksUrlTest, RunFetchesAtTheStart)
{
    asio::co_spawn(io_, set_.run(), [](const std::exception_ptr& /*stopped*/) {});
    while (fetched_ == 0 || !knows("one")) ASSERT_GT(io_.run_one_for(20s), 0U);
    set_.stop();
}

} // namespace
} // namespace penguin::control::fetch
