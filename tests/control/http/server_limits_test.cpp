// What a client that is too big, too slow or too many gets from the server.
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include "client.h"

namespace penguin::control::http::test {
namespace {

using namespace std::chrono_literals;

std::string code_of(const std::string& response)
{
    const std::string body = body_of(response);
    return body.empty() ? std::string{} : boost::json::parse(body).at("code").as_string().c_str();
}

constexpr std::string_view kJson = "Host: t\r\nContent-Type: application/json\r\n";
constexpr std::size_t kSmallBody = 4'096;

class ServerLimitsTest : public testing::Test {
protected:
    // Deadlines of one kind are short, the others long: what ends a connection is the one under test.
    void start(ServerLimits limits)
    {
        limits.linger = 100ms;
        running_ = std::make_unique<Running>(limits);
        const auto handler = [this](const Request&) -> awaitable<Answer> {
            ++running_->handled;
            co_return Response{.body = "{}"};
        };
        const auto sleepy = [](const Request&) -> awaitable<Answer> {
            co_await sleep_for(1h);
            co_return Response{};
        };
        const auto big = [](const Request&) -> awaitable<Answer> {
            co_return Response{.body = std::string(64 * 1024 * 1024, 'x')};
        };
        running_->router.add(
            Route{.method = Method::get, .pattern = "/open", .audience = Audience::anyone, .handler = handler});
        running_->router.add(
            Route{.method = Method::get, .pattern = "/slow", .audience = Audience::anyone, .handler = sleepy});
        running_->router.add(
            Route{.method = Method::get, .pattern = "/big", .audience = Audience::anyone, .handler = big});
        running_->router.add(Route{.method = Method::post,
                                   .pattern = "/open",
                                   .audience = Audience::anyone,
                                   .body = BodyKind::json,
                                   .body_max = kSmallBody,
                                   .handler = handler});
        running_->start();
    }
    std::unique_ptr<Running> running_;
};

TEST_F(ServerLimitsTest, RefusesAHeaderOver16KiB)
{
    start({});
    Client client{running_->port};
    client.say("GET /open HTTP/1.1\r\nHost: t\r\nX: " + std::string(17 * 1024, 'a') + "\r\n\r\n");
    const std::string response = client.hear_all();
    EXPECT_EQ(status_of(response), 431U);
    EXPECT_EQ(code_of(response), "headers_too_large");
}

TEST_F(ServerLimitsTest, RefusesAHeaderThatNeverEnds)
{
    start({});
    Client client{running_->port};
    std::string field;
    for (int i = 0; i < 2'000; ++i) field += "X" + std::to_string(i) + ": aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n";
    client.say("GET /open HTTP/1.1\r\nHost: t\r\n" + field);
    EXPECT_EQ(status_of(client.hear_all()), 431U);
}

TEST_F(ServerLimitsTest, RefusesTooManyFields)
{
    start({});
    std::string fields;
    for (int i = 0; i < 101; ++i) fields += "X: 1\r\n";
    Client client{running_->port};
    client.say("GET /open HTTP/1.1\r\nHost: t\r\n" + fields + "\r\n");
    EXPECT_EQ(status_of(client.hear_one()), 431U);
}

TEST_F(ServerLimitsTest, RefusesALongTarget)
{
    start({});
    Client client{running_->port};
    client.say("GET /" + std::string(5'000, 'a') + " HTTP/1.1\r\nHost: t\r\n\r\n");
    EXPECT_EQ(status_of(client.hear_one()), 414U);
}

TEST_F(ServerLimitsTest, RefusesABodyOf100MBWithoutReadingIt)
{
    start({});
    Client client{running_->port};
    client.say("POST /open HTTP/1.1\r\n" + std::string{kJson} + "Content-Length: 104857600\r\n\r\n");
    const std::string response = client.hear_one();
    EXPECT_EQ(status_of(response), 413U);
    EXPECT_EQ(code_of(response), "body_too_large");
    EXPECT_EQ(field_of(response, "Connection"), "close");
    const std::string block(1024 * 1024, 'x');
    std::size_t taken = 0;
    while (taken < 100 && client.say(block)) ++taken;
    EXPECT_LT(taken, 100U) << "it closes before the body has come";
    EXPECT_EQ(running_->handled, 0U);
}

TEST_F(ServerLimitsTest, RefusesAChunkedBodyAsSoonAsItIsTooLarge)
{
    start({});
    Client client{running_->port};
    client.say("POST /open HTTP/1.1\r\n" + std::string{kJson} + "Transfer-Encoding: chunked\r\n\r\n");
    const std::string chunk = "800\r\n" + std::string(0x800, 'x') + "\r\n";
    client.say(chunk + chunk + "1\r\n");
    EXPECT_EQ(status_of(client.hear_all()), 413U);
    EXPECT_EQ(running_->handled, 0U);
}

TEST_F(ServerLimitsTest, TakesABodyOfExactlyTheLimit)
{
    start({});
    Client client{running_->port};
    client.say("POST /open HTTP/1.1\r\n" + std::string{kJson} + "Content-Length: 4096\r\n\r\n" +
               std::string(4'096, ' '));
    EXPECT_EQ(status_of(client.hear_one()), 200U);
}

TEST_F(ServerLimitsTest, RefusesBodiesThatAreTooLargeTogether)
{
    ServerLimits limits;
    limits.bodies_max = 6'000;
    start(limits);
    Client first{running_->port};
    first.say("POST /open HTTP/1.1\r\n" + std::string{kJson} + "Content-Length: 4000\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(status_of(first.hear_one()), 100U) << "its body is awaited";
    Client second{running_->port};
    second.say("POST /open HTTP/1.1\r\n" + std::string{kJson} + "Content-Length: 4000\r\n\r\n");
    const std::string refused = second.hear_one();
    EXPECT_EQ(status_of(refused), 503U);
    EXPECT_EQ(field_of(refused, "Retry-After"), "1");
    first.say(std::string(4'000, ' '));
    EXPECT_EQ(status_of(first.hear_one()), 200U);
    Client third{running_->port};
    third.say("POST /open HTTP/1.1\r\n" + std::string{kJson} + "Content-Length: 4000\r\n\r\n" +
              std::string(4'000, ' '));
    EXPECT_EQ(status_of(third.hear_one()), 200U) << "the first one's share came back";
}

TEST_F(ServerLimitsTest, EndsAHeaderThatComesTooSlowly)
{
    ServerLimits limits;
    limits.header = 100ms;
    start(limits);
    Client client{running_->port};
    client.say("GET /open HTTP/1.1\r\nHost:");
    const std::string response = client.hear_all();
    EXPECT_EQ(status_of(response), 408U);
    EXPECT_EQ(code_of(response), "request_timeout");
}

TEST_F(ServerLimitsTest, EndsABodyThatComesTooSlowly)
{
    ServerLimits limits;
    limits.body = 100ms;
    start(limits);
    Client client{running_->port};
    client.say("POST /open HTTP/1.1\r\n" + std::string{kJson} + "Content-Length: 10\r\n\r\n{");
    EXPECT_EQ(status_of(client.hear_all()), 408U);
    EXPECT_EQ(running_->handled, 0U);
}

TEST_F(ServerLimitsTest, ClosesAnIdleConnectionWithoutAWord)
{
    ServerLimits limits;
    limits.idle = 100ms;
    start(limits);
    Client silent{running_->port};
    EXPECT_EQ(silent.hear_all(), "");
    Client once{running_->port};
    once.say("GET /open HTTP/1.1\r\nHost: t\r\n\r\n");
    EXPECT_EQ(status_of(once.hear_one()), 200U);
    EXPECT_EQ(once.hear_all(), "");
}

TEST_F(ServerLimitsTest, EndsAHandlerThatTakesTooLong)
{
    ServerLimits limits;
    limits.handler = 100ms;
    start(limits);
    Client client{running_->port};
    client.say("GET /slow HTTP/1.1\r\nHost: t\r\n\r\n");
    const std::string response = client.hear_one();
    EXPECT_EQ(status_of(response), 503U);
    EXPECT_EQ(field_of(response, "Retry-After"), "5");
}

TEST_F(ServerLimitsTest, EndsAClientThatDoesNotReadItsAnswer)
{
    ServerLimits limits;
    limits.write = 100ms;
    start(limits);
    Client client{running_->port};
    client.say("GET /big HTTP/1.1\r\nHost: t\r\n\r\n");
    Counter& timeouts =
        running_->metrics.counter("penguin_http_timeouts_total", "Deadlines that passed", {{"phase", "write"}});
    for (int i = 0; i < 1'000 && timeouts.value() == 0; ++i) std::this_thread::sleep_for(10ms);
    EXPECT_EQ(timeouts.value(), 1U);
    EXPECT_LT(client.hear_all().size(), 64U * 1024 * 1024);
}

TEST_F(ServerLimitsTest, ServesABoundedNumberOfRequestsOnAConnection)
{
    ServerLimits limits;
    limits.requests_max = 3;
    start(limits);
    Client client{running_->port};
    for (int i = 0; i < 5; ++i) client.say("GET /open HTTP/1.1\r\nHost: t\r\n\r\n");
    EXPECT_EQ(field_of(client.hear_one(), "Connection"), "keep-alive");
    EXPECT_EQ(field_of(client.hear_one(), "Connection"), "keep-alive");
    EXPECT_EQ(field_of(client.hear_one(), "Connection"), "close");
    EXPECT_EQ(client.hear_one(), "");
}

TEST_F(ServerLimitsTest, TurnsAwayWhoComesWhenAllPlacesAreTaken)
{
    ServerLimits limits;
    limits.connections_max = 2;
    start(limits);
    auto first = std::make_unique<Client>(running_->port, "127.0.0.2");
    Client second{running_->port, "127.0.0.3"};
    for (Client* client : {first.get(), &second}) {
        client->say("GET /open HTTP/1.1\r\nHost: t\r\n\r\n");
        EXPECT_EQ(status_of(client->hear_one()), 200U);
    }
    Client third{running_->port, "127.0.0.4"};
    const std::string response = third.hear_all();
    EXPECT_EQ(status_of(response), 503U);
    EXPECT_EQ(code_of(response), "too_many_connections");
    EXPECT_EQ(field_of(response, "Retry-After"), "1");
    first.reset();
    unsigned status = 0;
    for (int i = 0; i < 1'000 && status != 200; ++i) { // until the server has seen that the first one left
        Client fourth{running_->port, "127.0.0.5"};
        if (fourth.say("GET /open HTTP/1.1\r\nHost: t\r\n\r\n")) status = status_of(fourth.hear_one());
        if (status != 200) std::this_thread::sleep_for(5ms);
    }
    EXPECT_EQ(status, 200U);
}

TEST_F(ServerLimitsTest, BoundsTheConnectionsOfOnePeer)
{
    ServerLimits limits;
    limits.connections_per_peer_max = 1;
    start(limits);
    Client mine{running_->port, "127.0.0.2"};
    mine.say("GET /open HTTP/1.1\r\nHost: t\r\n\r\n");
    EXPECT_EQ(status_of(mine.hear_one()), 200U);
    Client greedy{running_->port, "127.0.0.2"};
    const std::string refused = greedy.hear_all();
    EXPECT_EQ(status_of(refused), 503U);
    EXPECT_EQ(field_of(refused, "Retry-After"), "1");
    Client other{running_->port, "127.0.0.3"};
    other.say("GET /open HTTP/1.1\r\nHost: t\r\n\r\n");
    EXPECT_EQ(status_of(other.hear_one()), 200U);
}

} // namespace
} // namespace penguin::control::http::test
