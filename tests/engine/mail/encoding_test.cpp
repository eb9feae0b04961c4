#include "engine/mail/base64.h"
#include "engine/mail/header_encoding.h"
#include "engine/mail/transfer_encoding.h"

#include <random>

#include <gtest/gtest.h>

namespace penguin {
namespace {

std::size_t longest_line(std::string_view text)
{
    std::size_t longest = 0;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find("\r\n"), text.size());
        longest = std::max(longest, end);
        text.remove_prefix(std::min(end + 2, text.size()));
    }
    return longest;
}

TEST(Base64, TextsOfRfc4648)
{
    const std::pair<const char*, const char*> rows[] = {{"", ""},
                                                        {"f", "Zg=="},
                                                        {"fo", "Zm8="},
                                                        {"foo", "Zm9v"},
                                                        {"foob", "Zm9vYg=="},
                                                        {"fooba", "Zm9vYmE="},
                                                        {"foobar", "Zm9vYmFy"}};
    for (const auto& [plain, digits] : rows) {
        EXPECT_EQ(to_base64(plain), digits);
        EXPECT_EQ(*from_base64(digits), plain);
    }
}

TEST(Base64, RefusesWhatNoEncoderWrites)
{
    for (const char* text :
         {"Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm=v", "Zm9v=", "Zm 9v", "Zm9v\n", "Zm9-", "===="})
        EXPECT_EQ(from_base64(text).error().code, Errc::malformed) << text;
    EXPECT_EQ(*from_base64("Zm\r\n 9v", WhiteSpace::skipped), "foo");
}

TEST(QuotedPrintable, Rfc2045)
{
    const auto encoded = [](std::string_view text) {
        std::string out;
        append_quoted_printable(text, out);
        return out;
    };
    EXPECT_EQ(encoded(""), "");
    EXPECT_EQ(encoded("a=b"), "a=3Db");
    EXPECT_EQ(encoded("a \nb\t\n c"), "a=20\r\nb=09\r\n c");
    EXPECT_EQ(encoded("a\rb\r\nc\nd\r\n"), "a\r\nb\r\nc\r\nd\r\n");
    EXPECT_EQ(encoded("\xC3\xA9"), "=C3=A9");
    EXPECT_EQ(encoded(std::string_view{"\0", 1}), "=00");
    EXPECT_EQ(encoded(std::string(76, 'x')), std::string(76, 'x'));
    EXPECT_EQ(encoded(std::string(77, 'x')), std::string(75, 'x') + "=\r\nxx");
    EXPECT_LE(longest_line(encoded(std::string(5000, '\xE9'))), 76U);
}

TEST(TransferFor, TakesTheShorter)
{
    EXPECT_EQ(transfer_for("plain text, a caf\xC3\xA9 or two in it, and so on"), Transfer::quoted_printable);
    EXPECT_EQ(transfer_for("\xD0\x9F\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82"), Transfer::base64);
}

std::string unstructured(std::string_view value, std::string_view name = "Subject")
{
    std::string out;
    append_unstructured(name, value, out);
    return out;
}

TEST(HeaderField, PlainTextStaysPlainAndFolds)
{
    EXPECT_EQ(unstructured("Hello there"), "Subject: Hello there\r\n");
    std::string words;
    for (int i = 0; i < 40; ++i) words += "word  ";
    const std::string field = unstructured(words);
    EXPECT_LE(longest_line(field), 78U);
    EXPECT_EQ(field.find("\r\n\r\n"), std::string::npos);
}

TEST(HeaderField, NothingCanEndIt)
{
    for (const char* evil :
         {"a\r\nBcc: x@y", "a\nBcc: x@y", "a\rBcc: x@y", "a\r\n\r\nbody", "\r\n", "a\x0b\x0c\x01", "\x7F"}) {
        const std::string field = unstructured(evil);
        EXPECT_EQ(field.find('\n'), field.size() - 1) << evil;
        EXPECT_EQ(field.find('\r'), field.size() - 2) << evil;
    }
    const std::string nul = unstructured(std::string_view{"a\0b", 3});
    EXPECT_EQ(nul, "Subject: a b\r\n");
}

TEST(HeaderField, WhatIsNotAsciiBecomesEncodedWords)
{
    EXPECT_EQ(unstructured("caf\xC3\xA9"), "Subject: =?UTF-8?Q?caf=C3=A9?=\r\n");
    EXPECT_EQ(unstructured("=?utf-8?q?x?="),
              "Subject: =?UTF-8?Q?=3D=3Futf-8=3Fq=3Fx=3F=3D?=\r\n"); // no decoder's trick
    EXPECT_TRUE(is_ascii(unstructured("not utf-8: \xFF\xFE")));
    std::string snow;
    for (int i = 0; i < 300; ++i) snow += "\xE2\x98\x83";
    const std::string field = unstructured(snow);
    EXPECT_LE(longest_line(field), 78U);
    EXPECT_TRUE(is_ascii(field));
    EXPECT_EQ(decoded_text(field.substr(9)), snow); // cut between characters
}

TEST(HeaderField, NoLineIsTooLong)
{
    std::mt19937 random{7}; // NOLINT: the same texts each time
    for (int i = 0; i < 300; ++i) {
        std::string value;
        const std::size_t size = random() % 4000;
        const unsigned span = i % 2 == 0 ? 3 : 256;
        for (std::size_t k = 0; k < size; ++k) value += static_cast<char>(span == 3 ? "aab"[random() % 3] : random());
        std::string out = unstructured(value);
        append_mailboxes("To", value, out);
        append_mailbox("From", {value, *EmailAddress::parse("a@example.com")}, out);
        EXPECT_LE(longest_line(out), kFieldLineMax);
        EXPECT_TRUE(is_ascii(out));
        EXPECT_FALSE(out.contains('\0'));
    }
}

TEST(MailboxField, WritesNamesSafely)
{
    const auto field = [](std::string_view name) {
        std::string out;
        append_mailbox("To", {std::string{name}, *EmailAddress::parse("a@example.com")}, out);
        return out;
    };
    EXPECT_EQ(field(""), "To: a@example.com\r\n");
    EXPECT_EQ(field("Ann Lee"), "To: Ann Lee <a@example.com>\r\n");
    EXPECT_EQ(field("Lee, Ann"), "To: \"Lee, Ann\" <a@example.com>\r\n");
    EXPECT_EQ(field("a\" <b@c>, \\"), "To: \"a\\\" <b@c>, \\\\\" <a@example.com>\r\n");
    EXPECT_EQ(field("Zo\xC3\xAB"), "To: =?UTF-8?Q?Zo=C3=AB?= <a@example.com>\r\n");
    EXPECT_EQ(field("x\r\nBcc: y"), "To: \"x  Bcc: y\" <a@example.com>\r\n");
}

TEST(MailboxesField, EncodesNamesOfAList)
{
    std::string out;
    append_mailboxes("Cc", "Zo\xC3\xAB <z@example.com>, Ann <a@example.com>", out);
    EXPECT_TRUE(is_ascii(out)) << out;
    EXPECT_NE(out.find("<z@example.com>, Ann <a@example.com>"), std::string::npos) << out;
}

TEST(FieldName, Rfc5322)
{
    for (const char* good : {"X-A", "a", "!#$"}) EXPECT_TRUE(is_field_name(good));
    for (const char* bad : {"", "X A", "X:", "X\r\n", "X\xC3\xA9"}) EXPECT_FALSE(is_field_name(bad)) << bad;
    EXPECT_FALSE(is_field_name(std::string(kFieldNameMax + 1, 'x')));
}

} // namespace
} // namespace penguin
