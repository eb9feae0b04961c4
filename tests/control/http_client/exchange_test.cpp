// One request and its answer. TLS and hostile answers: tests/control/fetch/https_fetch_test.cpp, on the same code.
#include "control/http_client/exchange.h"

#include <gtest/gtest.h>

#include "tests/engine/net/loopback.h"

namespace penguin::control::http_client {
namespace {

TEST(HttpRequestText, HasHostFieldsAndTheLengthOfItsBody)
{
    EXPECT_EQ(
        text_of({.target = "/a?b=c", .host = "mta1.example:8025", .fields = {{"Accept", "*/*"}}, .body = {}}).value(),
        "GET /a?b=c HTTP/1.1\r\nHost: mta1.example:8025\r\nAccept: */*\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(text_of({.method = "POST", .target = "/", .host = "h", .fields = {}, .body = "{}"}).value(),
              "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
}

TEST(HttpRequestText, SaysThatAPostHasNoBody) // RFC 9110 8.6
{
    EXPECT_TRUE(text_of({.method = "POST", .host = "h", .fields = {}, .body = {}})->contains("Content-Length: 0\r\n"));
    EXPECT_FALSE(text_of({.method = "DELETE", .host = "h", .fields = {}, .body = {}})->contains("Content-Length"));
}

TEST(HttpRequestText, NothingCanBeginALineOfItsOwn)
{
    for (const std::string& value :
         {std::string{"a\r\nX: b"}, std::string{"a\nb"}, std::string{"a\0b", 3}, std::string{"a\x7f"}}) {
        const auto text = text_of({.host = "h", .fields = {{"Idempotency-Key", value}}, .body = {}});
        ASSERT_FALSE(text) << value;
        EXPECT_EQ(text.error().code, Errc::bad_value);
    }
    for (const char* target : {"/a b", "/a\r\nX: b", "/a\tb"})
        EXPECT_FALSE(text_of({.target = target, .host = "h", .fields = {}, .body = {}})) << target;
}

TEST(HttpAnswer, FieldsCompareWithoutCaseAndTheFirstCounts)
{
    const Answer answer{.status = 200, .fields = {{"Retry-After", "5"}, {"retry-after", "9"}}, .body = {}};
    EXPECT_EQ(answer.field("RETRY-AFTER"), "5");
    EXPECT_EQ(answer.field("Location"), std::nullopt);
}

class ExchangeTest : public testing::Test {
protected:
    // What a client gets that says `request` to a server which answers `answer` at once and then closes.
    Result<Answer> with(const std::string& answer, Request request, AnswerBounds bounds = {})
    {
        std::optional<Result<Answer>> got;
        net::run_to_end(io_, [&]() -> awaitable<void> {
            net::Pair pair = co_await net::connected_pair();
            const Result<> said = co_await net::write_text(*pair.server, answer);
            EXPECT_TRUE(said);
            pair.server->socket().shutdown(asio::ip::tcp::socket::shutdown_send);
            got = co_await exchange(*pair.client, std::move(request), bounds, net::soon());
        }());
        return *got;
    }

    asio::io_context io_;
};

TEST_F(ExchangeTest, GivesStatusFieldsAndBody)
{
    const auto answer = with("HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nno",
                             {.host = "h", .fields = {}, .body = {}});
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->status, 404U);
    EXPECT_EQ(answer->field("content-type"), "text/plain");
    EXPECT_EQ(answer->body, "no");
}

TEST_F(ExchangeTest, BoundsTheBody)
{
    const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n12345678901";
    EXPECT_EQ(with(answer, {.host = "h", .fields = {}, .body = {}}, {.body_max = 10}).error().code, Errc::full);
    EXPECT_EQ(with(answer, {.host = "h", .fields = {}, .body = {}}, {.body_max = 11})->body.size(), 11U);
}

TEST_F(ExchangeTest, HasItsDeadline)
{
    net::run_to_end(io_, []() -> awaitable<void> {
        net::Pair pair = co_await net::connected_pair();
        const auto answer = co_await exchange(*pair.client, {.host = "h", .fields = {}, .body = {}}, {},
                                              net::after(std::chrono::milliseconds{50}));
        EXPECT_FALSE(answer);
        EXPECT_EQ(answer.error().code, Errc::timeout);
    }());
}

// A server that refuses by the head alone says so and closes while the body is on its way (RFC 9112 9.5).
TEST_F(ExchangeTest, HearsARefusalThatComesBeforeTheBodyIsSent)
{
    std::optional<Result<Answer>> got;
    net::run_to_end(io_, [&]() -> awaitable<void> {
        net::Pair pair = co_await net::connected_pair();
        pair.server->socket().set_option(asio::socket_base::receive_buffer_size{4'096});
        const Result<> said =
            co_await net::write_text(*pair.server, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
        EXPECT_TRUE(said);
        pair.server->socket().shutdown(asio::ip::tcp::socket::shutdown_both);
        got = co_await exchange(*pair.client,
                                {.method = "POST", .host = "h", .fields = {}, .body = std::string(8 << 20, 'x')}, {},
                                net::soon());
    }());
    ASSERT_TRUE(*got) << got->error().detail;
    EXPECT_EQ((*got)->status, 401U);
}

} // namespace
} // namespace penguin::control::http_client
