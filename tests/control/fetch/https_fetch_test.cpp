// The way out over HTTPS against a server of ours on loopback, which is let in by name; everything else there must be refused.
#include "control/fetch/https_fetch.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "tests/engine/net/loopback.h"
#include "tests/support/run.h"
#include "tests/support/tls_identity.h"
#include "tests/support/zone_table.h"

namespace penguin::control::fetch {
namespace {

using namespace std::chrono_literals;

using tests::Identity;

class HttpsFetchTest : public testing::Test {
protected:
    HttpsFetchTest()
    {
        identity_.write(authorities_);
        dns_.add_a("keys.example", "127.0.0.1");
    }
    ~HttpsFetchTest() override { std::filesystem::remove(authorities_); }

    HttpsFetch::Options options() const
    {
        return {.ports = {listener_.endpoint().port()}, .limit = 20s, .body_max = 1'000, .authorities = authorities_};
    }
    FetchUrl url(const std::string& host = "keys.example") const
    {
        return FetchUrl::parse("https://" + host + ":" + std::to_string(listener_.endpoint().port()) + "/keys?a=b")
            .value();
    }
    // What get() gives while the server answers one connection with `answer`.
    Result<std::string> get(std::string answer, HttpsFetch::Options wanted)
    {
        dns::TargetRule rule;
        EXPECT_TRUE(rule.allow("127.0.0.1"));
        HttpsFetch fetch{dns_, rule, std::move(wanted)};
        asio::co_spawn(io_, serve(std::move(answer)), [](const std::exception_ptr& /*it is cut off at the end*/) {});
        return tests::run(io_, fetch.get(url()));
    }
    Result<std::string> get(std::string answer) { return get(std::move(answer), options()); }
    // With the rule as it is outside of tests.
    Result<std::string> get_public(const std::string& host)
    {
        HttpsFetch fetch{dns_, {}, options()};
        return tests::run(io_, fetch.get(url(host)));
    }
    awaitable<void> serve(std::string answer)
    {
        std::unique_ptr<net::TcpStream> tcp = co_await listener_.accept();
        ++connections_;
        request_.clear();
        net::SslPtr ssl{SSL_new(context_.get())};
        SSL_set_accept_state(ssl.get());
        auto tls = co_await net::TlsStream::start(std::move(tcp), std::move(ssl), net::soon());
        if (!tls) co_return;
        std::array<char, 4'096> octets{};
        while (!request_.contains("\r\n\r\n")) {
            const auto count = co_await (*tls)->read_some(octets, net::soon());
            if (!count) co_return;
            request_.append(octets.data(), *count);
        }
        const std::array<std::string_view, 1> pieces{answer};
        co_await (*tls)->write(pieces, net::soon());
        if (answer.empty()) co_await (*tls)->read_some(octets, net::soon()); // says nothing until the other leaves
        (*tls)->close();
    }

    asio::io_context io_;
    tests::ZoneTable dns_;
    net::Listener listener_{io_};
    Identity identity_{"keys.example"};
    net::SslContextPtr context_ = identity_.server();
    std::filesystem::path authorities_ =
        std::filesystem::temp_directory_path() / ("fetch-" + std::to_string(::getpid()) + ".pem");
    std::string request_;
    int connections_ = 0;
};

TEST_F(HttpsFetchTest, GivesTheBodyHoweverItsLengthIsSaid)
{
    for (const char* answer :
         {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.1 200 OK\r\n\r\nhello",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"}) {
        const Result<std::string> body = get(answer);
        ASSERT_TRUE(body) << body.error().detail << " " << answer;
        EXPECT_EQ(*body, "hello");
    }
}

TEST_F(HttpsFetchTest, AsksForTheTargetAndNothingMore)
{
    ASSERT_TRUE(get("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    const std::string host = "keys.example:" + std::to_string(listener_.endpoint().port());
    EXPECT_EQ(request_, "GET /keys?a=b HTTP/1.1\r\nHost: " + host +
                            "\r\nUser-Agent: penguin-mta\r\nAccept: */*\r\nAccept-Encoding: identity\r\n"
                            "Connection: close\r\n\r\n");
}

TEST_F(HttpsFetchTest, FollowsNoRedirect)
{
    const auto body = get("HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1/\r\nContent-Length: 0\r\n\r\n");
    ASSERT_FALSE(body);
    EXPECT_EQ(body.error().code, Errc::refused);
    EXPECT_EQ(body.error().detail, "GET https://keys.example: a redirect, which is not followed");
    EXPECT_EQ(connections_, 1);
}

TEST_F(HttpsFetchTest, RefusesEveryOtherStatusWithoutAWordOfTheAnswer)
{
    for (const char* status : {"404 Secret", "500 Secret", "204 Secret", "206 Secret"}) {
        const auto body = get(std::string{"HTTP/1.1 "} + status + "\r\nContent-Length: 0\r\n\r\n");
        ASSERT_FALSE(body) << status;
        EXPECT_EQ(body.error().code, Errc::refused);
        EXPECT_FALSE(body.error().detail.contains("Secret")) << body.error().detail;
    }
}

TEST_F(HttpsFetchTest, ABodyOverItsBoundIsRefused)
{
    const std::string over(1'001, 'x');
    for (const std::string& head :
         {std::string{"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n"}, std::string{"HTTP/1.1 200 OK\r\n\r\n"}}) {
        const auto body = get(head + over);
        ASSERT_FALSE(body);
        EXPECT_EQ(body.error().code, Errc::full) << body.error().detail;
    }
    EXPECT_EQ(get("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + over.substr(1)).value().size(), 1'000U);
}

TEST_F(HttpsFetchTest, WhatIsNotHttpIsMalformed)
{
    for (const std::string& answer :
         {std::string{"SSH-2.0-server\r\n"}, std::string{"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\ncut"},
          std::string{"HTTP/1.1 200 OK\r\n"}, "HTTP/1.1 200 OK\r\nX: " + std::string(HttpsFetch::kHeadMax, 'x')}) {
        const auto body = get(answer);
        ASSERT_FALSE(body) << answer.substr(0, 40);
        EXPECT_EQ(body.error().code, Errc::malformed) << body.error().detail;
    }
}

TEST_F(HttpsFetchTest, ASilentServerCostsNoMoreThanTheLimit)
{
    HttpsFetch::Options quick = options();
    quick.limit = 300ms;
    const auto body = get("", quick);
    ASSERT_FALSE(body);
    EXPECT_EQ(body.error().code, Errc::timeout);
}

TEST_F(HttpsFetchTest, TheCertificateMustBeOfTheHostAndTrusted)
{
    const Identity other{"other.example"};
    context_ = other.server();
    EXPECT_EQ(get("HTTP/1.1 200 OK\r\n\r\n").error().code, Errc::tls_failed) << "not trusted";
    HttpsFetch::Options trusting = options();
    other.write(trusting.authorities);
    EXPECT_EQ(get("HTTP/1.1 200 OK\r\n\r\n", trusting).error().code, Errc::tls_failed) << "of another host";
    EXPECT_TRUE(request_.empty());
}

TEST_F(HttpsFetchTest, GoesToNoAddressThatIsNotPublic)
{
    dns_.add_a("inside.example", "10.0.0.1");
    dns_.add_a("metadata.example", "169.254.169.254");
    dns_.add_aaaa("mapped.example", "::ffff:127.0.0.1");
    dns_.add_aaaa("nat64.example", "64:ff9b::7f00:1");
    dns_.add_aaaa("sixtofour.example", "2002:7f00:1::");
    dns_.add_aaaa("local.example", "fe80::1");
    for (const char* host : {"keys.example", "inside.example", "metadata.example", "mapped.example", "nat64.example",
                             "sixtofour.example", "local.example"}) {
        const auto body = get_public(host);
        ASSERT_FALSE(body) << host;
        EXPECT_EQ(body.error().code, Errc::refused) << host << ": " << body.error().detail;
    }
    EXPECT_EQ(connections_, 0);
}

// What it listens at for the inside is behind it as well.
TEST_F(HttpsFetchTest, GoesToNoAddressOfOurOwn)
{
    dns_.add_a("ours.example", "9.9.9.9");
    dns_.add_aaaa("ours-too.example", "::ffff:9.9.9.9");
    dns::TargetRule rule;
    rule.forbid_own(asio::ip::make_address("9.9.9.9"));
    HttpsFetch fetch{dns_, rule, options()};
    for (const char* host : {"ours.example", "ours-too.example"}) {
        const auto body = tests::run(io_, fetch.get(url(host)));
        ASSERT_FALSE(body) << host;
        EXPECT_EQ(body.error().code, Errc::refused) << host << ": " << body.error().detail;
        EXPECT_TRUE(body.error().detail.contains("not public or ours")) << body.error().detail;
    }
}

TEST_F(HttpsFetchTest, OneAddressThatIsNotPublicIsEnoughToAskNothing)
{
    dns_.add_a("both.example", "9.9.9.9");
    dns_.add_a("both.example", "127.0.0.1");
    EXPECT_EQ(get_public("both.example").error().code, Errc::refused);
}

// Rebinding: a name that is public when it is looked at and ours when it is connected to.
TEST_F(HttpsFetchTest, LooksAHostUpOnce)
{
    ASSERT_TRUE(get("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    EXPECT_EQ(dns_.asked("A keys.example"), 1U);
    EXPECT_EQ(dns_.asked("AAAA keys.example"), 1U);
}

TEST_F(HttpsFetchTest, GoesToItsPortsOnly)
{
    HttpsFetch fetch{dns_, {}, {}};
    const auto body = tests::run(io_, fetch.get(url()));
    EXPECT_EQ(body.error().code, Errc::refused);
    EXPECT_EQ(dns_.asked_in_all(), 0U);
}

TEST_F(HttpsFetchTest, TellsWhatDnsSays)
{
    EXPECT_EQ(get_public("none.example").error().code, Errc::not_found);
    dns_.fail("broken.example", Errc::unavailable);
    EXPECT_EQ(get_public("broken.example").error().code, Errc::unavailable);
}

TEST(HttpsFetch, ABrokenFileOfAuthoritiesIsToldAtTheStart)
{
    tests::ZoneTable dns;
    EXPECT_THROW((HttpsFetch{dns, {}, {.authorities = "/nonexistent.pem"}}), std::runtime_error);
}

} // namespace
} // namespace penguin::control::fetch
