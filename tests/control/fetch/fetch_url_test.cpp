// Which URLs we go to at all.
#include "control/fetch/fetch_url.h"

#include <gtest/gtest.h>

namespace penguin::control::fetch {
namespace {

TEST(FetchUrl, TakesNamesOfHostsOverHttps)
{
    const FetchUrl plain = FetchUrl::parse("https://Keys.Example").value();
    EXPECT_EQ(plain.host.text(), "keys.example");
    EXPECT_EQ(plain.port, 443);
    EXPECT_EQ(plain.target, "/");
    const FetchUrl whole = FetchUrl::parse("https://keys.example:8443/.well-known/jwks.json?v=1&w=%20").value();
    EXPECT_EQ(whole.port, 8443);
    EXPECT_EQ(whole.target, "/.well-known/jwks.json?v=1&w=%20");
    EXPECT_EQ(FetchUrl::parse("HTTPS://keys.example/a").value().target, "/a");
}

struct Refused {
    const char* name;
    std::string url;
    const char* rule;
};
class RefusedUrls : public testing::TestWithParam<Refused> {};

TEST_P(RefusedUrls, NameTheRule)
{
    const Result<FetchUrl> url = FetchUrl::parse(GetParam().url);
    ASSERT_FALSE(url);
    EXPECT_EQ(url.error(), (Error{Errc::bad_value, std::string{"url: "} + GetParam().rule}));
}

INSTANTIATE_TEST_SUITE_P(
    All, RefusedUrls,
    testing::Values(Refused{"Clear", "http://keys.example/", "https only"},
                    Refused{"File", "file:///etc/passwd", "https only"},
                    Refused{"Gopher", "gopher://keys.example/", "https only"}, Refused{"Nothing", "", "is not one"},
                    Refused{"Relative", "//keys.example/", "is not one"},
                    Refused{"Space", "https://keys.example/a b", "is not one"},
                    Refused{"LineEnd", "https://keys.example/a\r\nX: y", "is not one"},
                    Refused{"User", "https://user@keys.example/", "no user and no password in it"},
                    Refused{"UserToHide", "https://keys.example:443@127.0.0.1/", "no user and no password in it"},
                    Refused{"Fragment", "https://keys.example/#a", "no fragment"},
                    Refused{"Address4", "https://127.0.0.1/", "the name of a host, not an address"},
                    Refused{"Address6", "https://[::1]/", "the name of a host, not an address"},
                    Refused{"Short4", "https://127.1/", "the name of a host, not an address"},
                    Refused{"Octal4", "https://0177.0.0.1/", "the name of a host, not an address"},
                    Refused{"Number4", "https://2130706433/", "the name of a host, not an address"},
                    Refused{"Hex4", "https://0x7f000001/", "the name of a host, not an address"},
                    Refused{"PortWithLetters", "https://keys.example:2ysa/", "is not one"},
                    Refused{"NoHost", "https:///a", "the host is not a name of DNS"},
                    Refused{"Port0", "https://keys.example:0/", "the port is a number from 1 to 65535"},
                    Refused{"PortOver", "https://keys.example:65536/", "the port is a number from 1 to 65535"},
                    Refused{"Long", "https://keys.example/" + std::string(kUrlMax, 'a'), "at most 2048 octets"}),
    [](const auto& row) { return std::string{row.param.name}; });

} // namespace
} // namespace penguin::control::fetch
