#include "engine/mail/email_address.h"
#include "engine/mail/message_id.h"

#include <gtest/gtest.h>

namespace penguin {
namespace {

TEST(DomainName, IsLowerCaseALabelsWithoutTheFinalDot)
{
    EXPECT_EQ(DomainName::parse("Example.COM.")->text(), "example.com");
    EXPECT_EQ(DomainName::parse("m\xC3\xBC"
                                "nchen.example")
                  ->text(),
              "xn--mnchen-3ya.example");
    EXPECT_EQ(DomainName::parse_record_name("S1._domainkey.example.com")->text(), "s1._domainkey.example.com");
}

TEST(DomainName, RefusesWhatDnsAndSmtpCannotCarry)
{
    const std::string long_label(64, 'a');
    const std::string long_name = std::string(60, 'a') + "." + std::string(60, 'b') + "." + std::string(60, 'c') + "." +
                                  std::string(60, 'd') + "." + std::string(20, 'e');
    for (const std::string& text : {std::string{}, std::string{"."}, std::string{"a..b"}, std::string{"-a.example"},
                                    std::string{"a-.example"}, std::string{"a_b.example"}, std::string{"a b.example"},
                                    std::string{"[127.0.0.1]"}, std::string("a\0b.example", 11), std::string{"a\r\nb"}})
        EXPECT_EQ(DomainName::parse(text).error().code, Errc::bad_address) << text;
    EXPECT_EQ(DomainName::parse(long_label + ".example").error().code, Errc::too_long);
    EXPECT_EQ(DomainName::parse(long_name).error().code, Errc::too_long);
}

TEST(DomainName, KnowsItsParents)
{
    const DomainName parent = *DomainName::parse("example.com");
    EXPECT_TRUE(DomainName::parse("a.example.com")->is_or_is_below(parent));
    EXPECT_TRUE(parent.is_or_is_below(parent));
    EXPECT_FALSE(DomainName::parse("badexample.com")->is_or_is_below(parent));
}

TEST(EmailAddress, TakesTheMailboxesOfRfc5321)
{
    for (const char* text : {"a@example.com", "a.b+c@example.com", "!#$%&'*+-/=?^_`{|}~@example.com",
                             "\"a b\"@example.com", "\"a\\\"b\"@example.com", "\xC3\xA9@example.com"})
        EXPECT_EQ(EmailAddress::parse(text)->text(), text);
    EXPECT_EQ(EmailAddress::parse("Ann@EXAMPLE.com")->text(), "Ann@example.com");
    EXPECT_EQ(EmailAddress::parse("Ann@EXAMPLE.com")->folded(), "ann@example.com");
    EXPECT_TRUE(EmailAddress::parse("\xC3\xA9@example.com")->needs_smtputf8());
}

TEST(EmailAddress, RefusesWhatCouldBreakACommand)
{
    for (const char* text :
         {"", "a", "@example.com", "a@", ".a@example.com", "a.@example.com", "a..b@example.com", "a b@example.com",
          "a@b@", "a>@example.com", "<a@example.com>", "a\r\nRCPT@example.com", "\"a\r\n\"@example.com",
          "\"a@example.com", "a@example.com\r\n", "\xFF@example.com", "\xC0\xAF@example.com", "\"\"\"@example.com"})
        EXPECT_EQ(EmailAddress::parse(text).error().code, Errc::bad_address) << text;
    EXPECT_EQ(EmailAddress::parse(std::string(65, 'a') + "@example.com").error().code, Errc::too_long);
}

TEST(MessageId, TextAndParseAreInverse)
{
    const std::string text = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f.9999";
    EXPECT_EQ(MessageId::parse(text)->text(), text);
    for (const char* bad : {"017f22e2-79b0-7cc3-98c4-dc0c0c07398f", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f.",
                            "017f22e2-79b0-7cc3-98c4-dc0c0c07398f.10000", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f.01",
                            "017f22e2-79b0-7cc3-98c4-dc0c0c07398f.-1", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f.1x"})
        EXPECT_EQ(MessageId::parse(bad).error().code, Errc::malformed) << bad;
}

} // namespace
} // namespace penguin
