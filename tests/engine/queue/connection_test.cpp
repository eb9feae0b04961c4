// The connection itself, and the scripts on a Redis that restarts, forgets or is full.
#include <boost/asio/detached.hpp>

#include "engine/queue/redis_connection.h"
#include "tests/engine/queue/cutting_relay.h"
#include "tests/engine/queue/queue_fixture.h"

namespace penguin::test {

namespace {

using queue::RedisConnection;
using queue::RedisReply;

RedisConnection::Options options_for(const queue::RedisUrl& url)
{
    return {.url = url, .ca_file = {}, .retry_first = 5ms, .retry_most = 50ms};
}

class ConnectionTest : public QueueTest {
protected:
    template <class T>
    Result<T> wait(awaitable<Result<T>> work)
    {
        return run(io, std::move(work));
    }
    Result<RedisReply> call(RedisConnection& redis, std::vector<std::string> arguments)
    {
        return wait(redis.command(std::move(arguments), 2s));
    }
};

TEST_F(ConnectionTest, EachKindOfReplyIsAValue)
{
    RedisConnection redis{io.get_executor(), options_for(server().url())};
    ASSERT_TRUE(wait(redis.connected_within(5s)));
    EXPECT_EQ(call(redis, {"SET", "a", std::string{"x\r\n\0y", 5}})->text(), "OK");
    EXPECT_EQ(call(redis, {"GET", "a"})->text(), (std::string{"x\r\n\0y", 5}));
    EXPECT_TRUE(call(redis, {"GET", "none"})->nil());
    EXPECT_EQ(call(redis, {"INCR", "n"})->integer(), 1);
    const Result<RedisReply> nested = call(redis, {"EVAL", "return {1, {'a', false}, {}}", "0"});
    ASSERT_TRUE(nested);
    ASSERT_EQ(nested->array().size(), 3U);
    EXPECT_EQ(nested->array()[1].array()[0].text(), "a");
    EXPECT_TRUE(nested->array()[1].array()[1].nil());
    const Result<RedisReply> raw = wait(redis.exchange({"NOSUCH"}, 2s));
    ASSERT_TRUE(raw);
    ASSERT_NE(raw->error(), nullptr);
    EXPECT_EQ(call(redis, {"NOSUCH"}).error().code, Errc::refused);
}

TEST_F(ConnectionTest, ConcurrentCommandsArePipelinedAndKeepTheirReplies)
{
    RedisConnection redis{io.get_executor(), options_for(server().url())};
    ASSERT_TRUE(wait(redis.connected_within(5s)));
    int right = 0;
    for (int i = 0; i < 1000; ++i)
        asio::co_spawn(
            io,
            [](RedisConnection& on, int number, int* count) -> awaitable<void> {
                const Result<RedisReply> reply = co_await on.command({"ECHO", std::to_string(number)}, 5s);
                if (reply && reply->integer() == number) ++*count;
            }(redis, i, &right),
            asio::detached);
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (right < 1000 && std::chrono::steady_clock::now() < end) io.run_one_for(100ms);
    EXPECT_EQ(right, 1000);
}

TEST_F(ConnectionTest, MoreCommandsThanTheBoundAreRefusedAtOnce)
{
    RedisConnection redis{io.get_executor(), options_for(server().url())};
    ASSERT_TRUE(wait(redis.connected_within(5s)));
    std::size_t full = 0;
    std::size_t ended = 0;
    for (std::size_t i = 0; i < RedisConnection::kInFlightMax + 10; ++i)
        asio::co_spawn(
            io,
            [](RedisConnection& on, std::size_t* refused, std::size_t* all) -> awaitable<void> {
                const Result<RedisReply> reply = co_await on.command({"PING"}, 5s);
                if (!reply && reply.error().code == Errc::full) ++*refused;
                ++*all;
            }(redis, &full, &ended),
            asio::detached);
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (ended < RedisConnection::kInFlightMax + 10 && std::chrono::steady_clock::now() < end) io.run_one_for(100ms);
    EXPECT_EQ(full, 10U);
}

TEST_F(ConnectionTest, ItReconnectsWhenRedisRestartsAndSaysSo)
{
    RedisServer own;
    RedisConnection redis{io.get_executor(), options_for(own.url())};
    std::vector<std::uint64_t> told;
    redis.on_connect([&told](std::uint64_t generation) { told.push_back(generation); });
    ASSERT_TRUE(wait(redis.connected_within(5s)));
    ASSERT_TRUE(call(redis, {"SET", "a", "1"}));
    own.kill();
    EXPECT_EQ(call(redis, {"GET", "a"}).error().code, Errc::unavailable);
    EXPECT_EQ(wait(redis.connected_within(100ms)).error().code, Errc::unavailable);
    own.start();
    ASSERT_TRUE(wait(redis.connected_within(10s)));
    EXPECT_TRUE(call(redis, {"PING"}));
    EXPECT_EQ(told, (std::vector<std::uint64_t>{1, 2}));
    EXPECT_EQ(redis.generation(), 2U);
}

TEST_F(ConnectionTest, ACommandWithoutAnswerEndsInTimeAndEndsTheConnection)
{
    CuttingRelay relay{io, server().folder(), server().socket()};
    RedisConnection redis{io.get_executor(), options_for(relay.url())};
    ASSERT_TRUE(wait(redis.connected_within(5s)));
    relay.go_silent();
    const Result<RedisReply> reply = wait(redis.command({"PING"}, 50ms));
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, Errc::timeout);
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (redis.connected() && std::chrono::steady_clock::now() < end) io.run_one_for(10ms);
    EXPECT_FALSE(redis.connected());
}

TEST_F(ConnectionTest, CloseEndsWhoeverWaits)
{
    CuttingRelay relay{io, server().folder(), server().socket()};
    std::optional<RedisConnection> redis;
    redis.emplace(io.get_executor(), options_for(relay.url()));
    ASSERT_TRUE(wait(redis->connected_within(5s)));
    relay.go_silent();
    std::optional<Errc> ended;
    asio::co_spawn(
        io,
        [](RedisConnection& on, std::optional<Errc>* with) -> awaitable<void> {
            const Result<RedisReply> reply = co_await on.command({"PING"}, 60s);
            *with = reply ? Errc::local_fault : reply.error().code;
        }(*redis, &ended),
        asio::detached);
    io.restart();
    io.run_one_for(50ms);
    redis.reset();
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (!ended && std::chrono::steady_clock::now() < end) io.run_one_for(10ms);
    EXPECT_EQ(ended, Errc::cancelled);
}

TEST_F(ConnectionTest, NobodyListening)
{
    queue::RedisUrl url;
    url.path = server().folder() + "/nobody.sock";
    RedisConnection redis{io.get_executor(), options_for(url)};
    const Result<> up = wait(redis.connected_within(100ms));
    ASSERT_FALSE(up);
    EXPECT_EQ(up.error().code, Errc::unavailable);
    EXPECT_NE(up.error().detail.find("nobody.sock"), std::string::npos);
    EXPECT_EQ(call(redis, {"PING"}).error().code, Errc::unavailable);
}

TEST_F(ConnectionTest, AWrongPasswordIsDeniedAndARightOneWorks)
{
    RedisServer secret{{"--requirepass", "right"}};
    queue::RedisUrl url = secret.url();
    url.password = "wrong";
    RedisConnection wrong{io.get_executor(), options_for(url)};
    EXPECT_EQ(wait(wrong.connected_within(200ms)).error().code, Errc::denied);
    url.password = "";
    RedisConnection none{io.get_executor(), options_for(url)};
    EXPECT_EQ(wait(none.connected_within(200ms)).error().code, Errc::denied);
    url.password = "right";
    url.user = "default";
    url.database = 3;
    RedisConnection right{io.get_executor(), options_for(url)};
    ASSERT_TRUE(wait(right.connected_within(5s)));
    ASSERT_TRUE(call(right, {"SET", "a", "1"}));
    EXPECT_EQ(secret.cli("-a right --no-auth-warning -n 3 GET a"), "1");
}

TEST_F(ConnectionTest, TlsWithACertificateThatWeTrustAndNoOther)
{
    const std::string folder = server().folder();
    const std::string make =
        "cd " + folder +
        " && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout tls.key "
        "-out tls.crt -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null";
    ASSERT_EQ(std::system(make.c_str()), 0);
    const unsigned port = free_port();
    RedisServer tls{{"--tls-port", std::to_string(port), "--bind", "127.0.0.1", "--tls-cert-file", folder + "/tls.crt",
                     "--tls-key-file", folder + "/tls.key", "--tls-auth-clients", "no"}};
    const queue::RedisUrl url = queue::RedisUrl::parse("rediss://localhost:" + std::to_string(port)).value();
    RedisConnection::Options options = options_for(url);
    RedisConnection stranger{io.get_executor(), options};
    const Result<> refused = wait(stranger.connected_within(500ms));
    EXPECT_FALSE(refused);
    options.ca_file = folder + "/tls.crt";
    RedisConnection trusted{io.get_executor(), options};
    const Result<> up = wait(trusted.connected_within(5s));
    ASSERT_TRUE(up) << up.error().detail;
    EXPECT_EQ(call(trusted, {"PING"})->text(), "PONG");
    RedisConnection::Options by_address = options;
    by_address.url.host = "127.0.0.1"; // the certificate names localhost only
    RedisConnection wrong_name{io.get_executor(), by_address};
    EXPECT_FALSE(wait(wrong_name.connected_within(500ms)));
}

TEST_F(ConnectionTest, ScriptsAreLoadedAgainWhenRedisForgetsThem)
{
    Node node{io, server().url(), "n1", "i1"};
    server().cli("SCRIPT FLUSH");
    EXPECT_EQ(node.enqueue(batch_entries(1, 1, 3)).queued, 3U);
    server().cli("SCRIPT FLUSH");
    EXPECT_EQ(node.claim(10).size(), 3U);
}

TEST_F(ConnectionTest, AQueueSurvivesARestartOfRedis)
{
    RedisServer own;
    Node node{io, own.url(), "n1", "i1"};
    node.enqueue(batch_entries(1, 1, 10));
    const std::vector<queue::Claimed> got = node.claim(5);
    own.stop();
    const auto lost = node.try_(node.queue().settle(outcomes_of(got, queue::EventKind::delivered)));
    ASSERT_FALSE(lost);
    EXPECT_EQ(lost.error().code, Errc::unavailable);
    own.start();
    node.must(node.redis().connected_within(10s));
    EXPECT_TRUE(node.must(node.queue().join(false)).data_lost) << "it may have";
    node.must(node.queue().recovered());
    EXPECT_EQ(node.hand().size(), 5U);
    EXPECT_EQ(node.settle(outcomes_of(got, queue::EventKind::delivered)).settled, 5U);
    EXPECT_EQ(node.claim(100).size(), 5U);
}

TEST_F(ConnectionTest, AFullRedisRefusesNewMailAndStillSettlesTheOld)
{
    RedisServer own;
    Node node{io, own.url(), "n1", "i1"};
    node.enqueue(batch_entries(1, 1, 200));
    const std::vector<queue::Claimed> got = node.claim(50, 100);
    ASSERT_EQ(got.size(), 50U);
    const std::vector<queue::Entry> more = batch_entries(1, 2, 1);

    // Under Redis' own bound, but over our share of it.
    own.cli("CONFIG SET maxmemory $(( $(redis-cli -s " + own.socket() +
            " INFO memory | grep -a ^used_memory: | tr -dc 0-9) * 10 / 9 ))");
    const auto share = node.try_(node.queue().enqueue(more));
    ASSERT_FALSE(share);
    EXPECT_EQ(share.error().code, Errc::full);

    own.cli("CONFIG SET maxmemory 1000000"); // less than it uses
    const auto full = node.try_(node.queue().enqueue(more));
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().code, Errc::full);
    std::vector<queue::Settlement> outcomes = outcomes_of(got, queue::EventKind::delivered);
    outcomes[0] = outcome_of(got[0], queue::EventKind::deferred);
    EXPECT_EQ(node.settle(outcomes).settled, 50U);
    const std::vector<queue::Claimed> next = node.claim(50, 100);
    EXPECT_EQ(next.size(), 50U);
    EXPECT_EQ(node.park(tokens_of(next), "gmail"), 50U);
    node.must(node.queue().heartbeat("up"));
    own.cli("CONFIG SET maxmemory 1gb");
    EXPECT_EQ(node.enqueue(more).queued, 1U);
}

} // namespace

} // namespace penguin::test
