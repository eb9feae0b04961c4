#include "engine/mail/named_address.h"

#include <gtest/gtest.h>

namespace penguin {
namespace {

struct ReadCase {
    const char* text;
    const char* name;
    const char* address;
};

constexpr ReadCase kRead[] = {
    {"a@example.com", "", "a@example.com"},
    {"<a@example.com>", "", "a@example.com"},
    {"Ann <a@example.com>", "Ann", "a@example.com"},
    {"  Ann  B.  Lee <a@EXAMPLE.com> ", "Ann B. Lee", "a@example.com"},
    {"\"Lee, Ann\" <a@example.com>", "Lee, Ann", "a@example.com"},
    {"\"a \\\"b\\\"\" <a@example.com>", "a \"b\"", "a@example.com"},
    {"a@example.com (Ann)", "", "a@example.com"},
    {"(x (y)) Ann (\\)) <a@example.com>", "Ann", "a@example.com"},
    {"=?utf-8?q?Zo=C3=AB?= <a@example.com>", "Zo\xC3\xAB", "a@example.com"},
    {"Zo\xC3\xAB <a@example.com>", "Zo\xC3\xAB", "a@example.com"},
    {"\"a b\"@example.com", "", "\"a b\"@example.com"},
    {"Ann <\"a>b\"@example.com>", "Ann", "\"a>b\"@example.com"},
    {"=?utf-8?q?a=0D=0ABcc=3A_x?= <a@example.com>", "a  Bcc: x", "a@example.com"},
};

TEST(NamedAddress, ReadsOneMailbox)
{
    for (const ReadCase& row : kRead) {
        const Result<NamedAddress> read = parse_named_address(row.text);
        ASSERT_TRUE(read) << row.text << ": " << read.error().detail;
        EXPECT_EQ(read->name, row.name) << row.text;
        EXPECT_EQ(read->address.text(), row.address) << row.text;
    }
}

TEST(NamedAddress, RefusesWhatTwoReadersCouldReadTwoWays)
{
    for (const char* text :
         {"", "Ann", "a@example.com, b@example.com", "Ann <a@example.com>, b@example.com",
          "a@example.com <b@example.com>", "Ann <a@example.com> b", "Ann <a@example.com> <b@example.com>",
          "team: a@example.com;", "Ann <a@example.com", "\"Ann <a@example.com>", "(Ann <a@example.com>",
          "Ann a@example.com>", "Ann <>", "a @example.com", "Ann <a@example.com\r\n>", "<a@b@example.com>"}) {
        const Result<NamedAddress> read = parse_named_address(text);
        EXPECT_FALSE(read) << text;
        if (!read) EXPECT_EQ(read.error().code, Errc::bad_address) << text;
    }
    EXPECT_EQ(parse_named_address(std::string(kNamedAddressMax + 1, 'a')).error().code, Errc::too_long);
}

} // namespace
} // namespace penguin
