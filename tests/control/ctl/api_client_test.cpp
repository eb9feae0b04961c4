// Calls of the API against its own server: in clear, by TLS, over a socket; and what is done when it says "later".
#include "control/ctl/api_client.h"

#include <filesystem>

#include <gtest/gtest.h>
#include <unistd.h>

#include "control/ctl/patience.h"
#include "tests/control/http/client.h"
#include "tests/support/run.h"
#include "tests/support/tls_identity.h"

namespace penguin::control::ctl {
namespace {

using namespace std::chrono_literals;
using http::Audience;
using http::BodyKind;
using http::Method;

Call get(std::string target)
{
    return {.method = "GET",
            .target = std::move(target),
            .body = {},
            .if_match = {},
            .idempotency_key = {},
            .repeatable = true};
}

class ApiClientTest : public testing::Test {
protected:
    ApiClientTest()
    {
        add(Method::get, "/open", Audience::anyone, [this](const http::Request&) -> awaitable<http::Answer> {
            ++handled_;
            co_return http::Response{.body = "{}"};
        });
        add(Method::post, "/echo", Audience::platform, [](const http::Request& request) -> awaitable<http::Answer> {
            const auto field = [&](const char* name) { return std::string{request.header(name).value_or("-")}; };
            co_return http::Response{.body = field("Host") + "|" + field("Content-Type") + "|" + field("If-Match") +
                                             "|" + field("Idempotency-Key") + "|" + request.body};
        });
        add(Method::get, "/later", Audience::anyone, [this](const http::Request&) -> awaitable<http::Answer> {
            if (++handled_ > busy_) co_return http::Response{.body = "{}"};
            co_return std::unexpected{later_};
        });
        running_.start();
    }
    ~ApiClientTest() override { std::filesystem::remove_all(folder_); }

    void add(Method method, const char* pattern, Audience audience, http::Handler handler)
    {
        running_.router.add({.method = method,
                             .pattern = pattern,
                             .audience = audience,
                             .scope = audience == Audience::anyone ? "" : "tenants:read",
                             .body = method == Method::post ? BodyKind::json : BodyKind::none,
                             .body_max = http::kBodyMax,
                             .handler = std::move(handler)});
    }
    std::string clear_url() const { return "http://127.0.0.1:" + std::to_string(running_.port); }
    // A TLS listener whose certificate is of `name`; gives its port.
    std::uint16_t listen_tls(const std::string& name)
    {
        const tests::Identity identity{name};
        identity.write(folder_ / "certificate.pem");
        identity.write_key(folder_ / "key.pem");
        std::uint16_t port = 0;
        running_.on_thread([&] {
            port = running_.server
                       ->listen_tls({asio::ip::address_v4::loopback(), 0},
                                    {folder_ / "certificate.pem", folder_ / "key.pem"})
                       .value();
        });
        return port;
    }
    Result<http_client::Answer> call(const std::string& url, Call what, const std::string& key = "",
                                     std::chrono::milliseconds limit = 20s)
    {
        ApiClient client{{.url = ApiUrl::parse(url).value(),
                          .key = key,
                          .authorities = std::filesystem::exists(folder_ / "certificate.pem")
                                             ? folder_ / "certificate.pem"
                                             : std::filesystem::path{},
                          .limit = limit}};
        return tests::run(io_, client.call(std::move(what)));
    }
    Result<http_client::Answer> call_patiently_of(Call what, unsigned retries)
    {
        ApiClient client{{.url = ApiUrl::parse(clear_url()).value(), .key = {}, .authorities = {}, .limit = 20s}};
        return tests::run(io_, call_patiently(client, std::move(what), retries,
                                              [this](const std::string& text) { told_.push_back(text); }));
    }
    void be_busy(int times, http::Problem problem)
    {
        busy_ = times;
        later_ = std::move(problem);
    }

    std::filesystem::path folder_ = [] {
        std::string name = (std::filesystem::temp_directory_path() / "penguinctl-XXXXXX").string();
        return std::filesystem::path{::mkdtemp(name.data())};
    }();
    asio::io_context io_;
    std::atomic<int> handled_ = 0;
    int busy_ = 0;
    http::Problem later_;
    std::vector<std::string> told_;
    http::test::Running running_;
};

TEST_F(ApiClientTest, InClearOnLoopback)
{
    const auto answer = call(clear_url(), get("/open"));
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->status, 200U);
    EXPECT_EQ(answer->body, "{}");
}

TEST_F(ApiClientTest, SendsKeyBodyAndTheFieldsOfTheCall)
{
    const auto answer =
        call(clear_url(),
             {.method = "POST", .target = "/echo", .body = "[1]", .if_match = "\"3\"", .idempotency_key = "k-1"},
             "platform");
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->body, "127.0.0.1:" + std::to_string(running_.port) + "|application/json|\"3\"|k-1|[1]");
    EXPECT_EQ(
        call(clear_url(), {.method = "POST", .target = "/echo", .body = "[1]", .if_match = {}, .idempotency_key = {}})
            ->status,
        401U);
}

TEST_F(ApiClientTest, OverAUnixSocket)
{
    const std::string path = (folder_ / "api.sock").string();
    running_.on_thread([&] { ASSERT_TRUE(running_.server->listen_unix(path)); });
    const auto answer = call("unix:" + path, get("/open"));
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->status, 200U);
    EXPECT_EQ(call("unix:" + path + "x", get("/open")).error().code, Errc::refused);
}

TEST_F(ApiClientTest, ByTlsWhenTheCertificateIsOfTheAddress)
{
    const std::string url = "https://127.0.0.1:" + std::to_string(listen_tls("IP:127.0.0.1"));
    const auto answer = call(url, get("/open"));
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->status, 200U);
}

TEST_F(ApiClientTest, ByTlsWhenTheCertificateIsOfTheName)
{
    const std::string port = std::to_string(listen_tls("localhost"));
    EXPECT_TRUE(call("https://localhost:" + port, get("/open")));
    EXPECT_EQ(call("https://127.0.0.1:" + port, get("/open")).error().code, Errc::tls_failed) << "of another host";
}

TEST_F(ApiClientTest, NoKeyGoesToWhoIsNotTrusted)
{
    const std::string port = std::to_string(listen_tls("localhost"));
    tests::Identity{"localhost"}.write(folder_ / "certificate.pem"); // another authority
    EXPECT_EQ(call("https://localhost:" + port, get("/open"), "platform").error().code, Errc::tls_failed);
    EXPECT_EQ(handled_, 0);
}

TEST_F(ApiClientTest, NobodyThere)
{
    asio::ip::tcp::acceptor taken{io_, {asio::ip::address_v4::loopback(), 0}};
    const std::string port = std::to_string(taken.local_endpoint().port());
    EXPECT_EQ(call("http://127.0.0.1:" + port, get("/open"), "", 100ms).error().code, Errc::timeout)
        << "nobody accepts";
    taken.close();
    EXPECT_EQ(call("http://127.0.0.1:" + port, get("/open")).error().code, Errc::refused);
}

TEST_F(ApiClientTest, AuthoritiesThatCannotBeReadAreToldAtTheStart)
{
    EXPECT_THROW(
        (ApiClient{{.url = ApiUrl::parse("https://a.example").value(), .key = {}, .authorities = "/nonexistent.pem"}}),
        std::runtime_error);
}

TEST_F(ApiClientTest, IsCalledAgainAfterRetryAfter)
{
    be_busy(2, {.code = http::Code::unavailable, .detail = "d", .headers = {{"Retry-After", "0"}}});
    const auto answer = call_patiently_of(get("/later"), 3);
    EXPECT_EQ(answer->status, 200U);
    EXPECT_EQ(handled_, 3);
    EXPECT_EQ(told_, (std::vector<std::string>{"status 503, trying again in 0 s (1 of 3)",
                                               "status 503, trying again in 0 s (2 of 3)"}));
}

TEST_F(ApiClientTest, NotMoreOftenThanRetriesSay)
{
    be_busy(9, {.code = http::Code::too_many_attempts, .detail = "d", .headers = {{"Retry-After", "0"}}});
    EXPECT_EQ(call_patiently_of(get("/later"), 2)->status, 429U);
    EXPECT_EQ(handled_, 3);
    EXPECT_EQ(call_patiently_of(get("/later"), 0)->status, 429U);
    EXPECT_EQ(handled_, 4);
}

struct RetryCase {
    const char* name;
    unsigned status;
    const char* after;
    const char* body;
    bool repeatable;
    int wait; // seconds; -1: not again
};

class WaitBeforeRetry : public testing::TestWithParam<RetryCase> {};

TEST_P(WaitBeforeRetry, OnlyWhatDoesNothingTwice)
{
    const RetryCase& one = GetParam();
    http_client::Answer answer{.status = one.status, .fields = {}, .body = one.body};
    if (one.after != nullptr) answer.fields.emplace_back("Retry-After", one.after);
    EXPECT_EQ(wait_before_retry(answer, one.repeatable),
              one.wait < 0 ? std::nullopt : std::optional{std::chrono::seconds{one.wait}});
}

constexpr const char* kAway = R"({"code":"unavailable"})";
constexpr const char* kCrowded = R"({"code":"too_many_connections"})";
INSTANTIATE_TEST_SUITE_P(All, WaitBeforeRetry,
                         testing::Values(RetryCase{"Throttled", 429, "7", "", false, 7},
                                         RetryCase{"Away", 503, "5", kAway, true, 5},
                                         RetryCase{"AwayMayHaveBeenDone", 503, "5", kAway, false, -1},
                                         RetryCase{"TurnedAwayAtTheDoor", 503, "1", kCrowded, false, 1},
                                         RetryCase{"DoesNotSayWhen", 503, nullptr, kAway, true, -1},
                                         RetryCase{"SaysADate", 503, "Wed, 21 Oct 2026 07:28:00 GMT", kAway, true, -1},
                                         RetryCase{"TooLong", 503, "121", kAway, true, -1},
                                         RetryCase{"AsLongAsWeWait", 503, "120", kAway, true, 120},
                                         RetryCase{"Negative", 503, "-1", kAway, true, -1},
                                         RetryCase{"Another", 500, "1", "", true, -1},
                                         RetryCase{"Done", 200, "1", "", true, -1}),
                         [](const auto& row) { return std::string{row.param.name}; });

} // namespace
} // namespace penguin::control::ctl
