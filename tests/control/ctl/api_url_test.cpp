#include "control/ctl/api_url.h"

#include <gtest/gtest.h>

namespace penguin::control::ctl {
namespace {

struct UrlCase {
    const char* text;
    const char* host;
    unsigned port;
    bool tls;
    const char* authority;
};

TEST(ApiUrl, Reads)
{
    for (const UrlCase& one :
         {UrlCase{"https://mta1.example.com", "mta1.example.com", 443, true, "mta1.example.com"},
          UrlCase{"https://mta1.example.com:8025/", "mta1.example.com", 8025, true, "mta1.example.com:8025"},
          UrlCase{"https://192.0.2.1:8025", "192.0.2.1", 8025, true, "192.0.2.1:8025"},
          UrlCase{"https://[2001:db8::1]:8025", "2001:db8::1", 8025, true, "[2001:db8::1]:8025"},
          UrlCase{"http://127.0.0.1:8025", "127.0.0.1", 8025, false, "127.0.0.1:8025"},
          UrlCase{"http://[::1]", "::1", 80, false, "[::1]"},
          UrlCase{"http://localhost:8025", "localhost", 8025, false, "localhost:8025"}}) {
        const auto url = ApiUrl::parse(one.text);
        ASSERT_TRUE(url) << one.text << ": " << url.error().detail;
        EXPECT_EQ(url->host, one.host);
        EXPECT_EQ(url->port, one.port) << one.text;
        EXPECT_EQ(url->tls, one.tls) << one.text;
        EXPECT_EQ(url->authority(), one.authority);
        EXPECT_EQ(ApiUrl::parse(url->text())->text(), url->text());
    }
}

TEST(ApiUrl, ReadsTheSocketOfADaemon)
{
    const auto url = ApiUrl::parse("unix:/run/penguin-mta/api.sock");
    ASSERT_TRUE(url);
    EXPECT_EQ(url->socket, "/run/penguin-mta/api.sock");
    EXPECT_EQ(url->text(), "unix:/run/penguin-mta/api.sock");
    EXPECT_FALSE(ApiUrl::parse("unix:relative"));
    EXPECT_FALSE(ApiUrl::parse("unix:/" + std::string(107, 'x')));
}

TEST(ApiUrl, InClearOnlyToThisMachine)
{
    for (const char* text : {"http://mta1.example.com:8025", "http://192.0.2.1:8025", "http://[2001:db8::1]:8025",
                             "http://localhost.example.com", "http://0.0.0.0:8025"}) {
        const auto url = ApiUrl::parse(text);
        ASSERT_FALSE(url) << text;
        EXPECT_EQ(url.error().detail, "in clear only to this machine: use https") << text;
    }
}

TEST(ApiUrl, RefusesTheRest)
{
    for (const char* text :
         {"", "mta1.example.com:8025", "ftp://127.0.0.1", "https://", "https://user:hunter2@mta1.example.com",
          "https://mta1.example.com/v1", "https://mta1.example.com?a=b", "https://mta1.example.com#a",
          "https://mta1.example.com:0", "https://mta1.example.com:99999", "https://mta1.example.com:8025x"}) {
        const auto url = ApiUrl::parse(text);
        ASSERT_FALSE(url) << text;
        EXPECT_EQ(url.error().code, Errc::bad_value);
        EXPECT_FALSE(url.error().detail.contains("hunter2")) << "a password is not repeated";
    }
}

} // namespace
} // namespace penguin::control::ctl
