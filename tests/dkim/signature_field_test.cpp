#include "dkim/signature_field.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "dkim/opendkim_verifier.h"
#include "engine/mail/base64.h"
#include "tests/dkim/keys.h"

namespace penguin::dkim {
namespace {

using tests::kMessage;

std::string signature_of(std::string_view message, Algorithm algorithm, std::string_view domain = "example.com")
{
    const KeyHandle key = tests::opened(algorithm);
    return MessageDigest::of(view_message(message).value())
        .value()
        .sign({algorithm, domain, "s1", key.get(), 1'790'000'000, 4'000'000'000})
        .value();
}

PublishedKeys published(Algorithm algorithm) { return {{"s1._domainkey.example.com", tests::record(algorithm)}}; }

bool verifies(std::string_view message, Algorithm algorithm)
{
    const auto verdicts = OpendkimVerifier{}.verify(message, published(algorithm));
    return verdicts && verdicts->size() == 1 && verdicts->front().valid;
}

class BothAlgorithms : public testing::TestWithParam<Algorithm> {};
INSTANTIATE_TEST_SUITE_P(Rfc6376, BothAlgorithms, testing::Values(Algorithm::rsa_sha256, Algorithm::ed25519_sha256),
                         [](const auto& row) { return row.param == Algorithm::rsa_sha256 ? "Rsa" : "Ed25519"; });

TEST_P(BothAlgorithms, TheJudgeAgrees)
{
    EXPECT_TRUE(verifies(signature_of(kMessage, GetParam()) + std::string{kMessage}, GetParam()));
}

TEST_P(BothAlgorithms, FieldIsFoldedAndSaysWhatItShould)
{
    const std::string field = signature_of(kMessage, GetParam());
    EXPECT_TRUE(field.ends_with("\r\n"));
    std::size_t longest = 0;
    for (std::size_t at = 0; at < field.size(); at = field.find("\r\n", at) + 2)
        longest = std::max(longest, field.find("\r\n", at) - at);
    EXPECT_LE(longest, 78U) << field;
    const std::string_view tags = std::string_view{field}.substr(field.find(':') + 1);
    EXPECT_EQ(tag_value(tags, "a"), name_of(GetParam()));
    EXPECT_EQ(tag_value(tags, "c"), "relaxed/relaxed");
    EXPECT_EQ(tag_value(tags, "d"), "example.com");
    EXPECT_EQ(tag_value(tags, "t"), "1790000000");
    EXPECT_EQ(tag_value(tags, "x"), "4000000000");
    EXPECT_EQ(tag_value(tags, "l"), "");
    EXPECT_TRUE(tag_value(tags, "h").starts_with("from:from:reply-to:subject:subject:date:date:to:to:cc:")) << field;
}

TEST_P(BothAlgorithms, AnyChangeIsSeen)
{
    const std::string signed_message = signature_of(kMessage, GetParam()) + std::string{kMessage};
    const auto changed = [&](std::string_view from, std::string_view to) {
        std::string text = signed_message;
        text.replace(text.rfind(from), from.size(), to);
        return text;
    };
    EXPECT_FALSE(verifies(changed("Hi Ann", "Hi Bob"), GetParam()));
    EXPECT_FALSE(verifies(changed("Subject: Hello", "Subject: Help"), GetParam()));
    EXPECT_FALSE(verifies(changed("t=1790000000", "t=1790000001"), GetParam()));
    for (const char* added :
         {"From: evil@example.net\r\n", "Subject: x\r\n", "To: x@example.org\r\n", "Date: x\r\n",
          "Cc: x@example.org\r\n", "Reply-To: x@example.org\r\n", "Message-ID: <x>\r\n", "Content-Type: text/html\r\n",
          "MIME-Version: 1.0\r\n", "List-Unsubscribe: <https://x>\r\n"}) {
        EXPECT_FALSE(verifies(added + signed_message, GetParam())) << added; // over-signed
        EXPECT_FALSE(verifies(changed("\r\n\r\nHi", "\r\n" + std::string{added} + "\r\nHi"), GetParam())) << added;
    }
    EXPECT_TRUE(verifies("Received: from a by b\r\n" + signed_message, GetParam()));   // what servers may add
    EXPECT_TRUE(verifies(changed("Subject: Hello", "subject:  Hello  "), GetParam())); // relaxed
    EXPECT_TRUE(verifies(signed_message + "\r\n\r\n", GetParam()));
}

TEST_P(BothAlgorithms, AnotherKeyDoesNotVerify)
{
    const std::string signed_message = signature_of(kMessage, GetParam()) + std::string{kMessage};
    const KeyPair other = make_key_pair(GetParam()).value();
    const PublishedKeys wrong{{"s1._domainkey.example.com", dns_record(GetParam(), other.public_base64)}};
    const auto verdicts = OpendkimVerifier{}.verify(signed_message, wrong);
    ASSERT_EQ(verdicts->size(), 1U);
    EXPECT_FALSE(verdicts->front().valid);
    const auto none = OpendkimVerifier{}.verify(signed_message, {});
    ASSERT_EQ(none->size(), 1U);
    EXPECT_FALSE(none->front().valid);
    EXPECT_FALSE(none->front().reason.empty());
}

TEST(SignatureField, RepeatedFieldsAreAllSigned)
{
    const std::string twice = "Reply-To: a@example.com\r\nReply-To: b@example.com\r\n" + std::string{kMessage};
    const std::string signed_message = signature_of(twice, Algorithm::ed25519_sha256) + twice;
    EXPECT_TRUE(verifies(signed_message, Algorithm::ed25519_sha256));
    std::string changed = signed_message;
    changed.replace(changed.find("a@example.com"), 1, "x");
    EXPECT_FALSE(verifies(changed, Algorithm::ed25519_sha256));
}

TEST(SignatureField, LongDomainsStillFold)
{
    const std::string name = std::string(60, 'a') + "." + std::string(60, 'b') + ".example";
    const std::string field = signature_of(kMessage, Algorithm::ed25519_sha256, name);
    const auto verdicts = OpendkimVerifier{}.verify(
        field + std::string{kMessage}, {{"s1._domainkey." + name, tests::record(Algorithm::ed25519_sha256)}});
    EXPECT_TRUE(verdicts->front().valid);
}

TEST(SignatureField, ExpiredOnesAreRefusedByTheJudge)
{
    const KeyHandle key = tests::opened(Algorithm::ed25519_sha256);
    const std::string field =
        MessageDigest::of(view_message(kMessage).value())
            .value()
            .sign({Algorithm::ed25519_sha256, "example.com", "s1", key.get(), 1'000'000, 1'000'001})
            .value();
    EXPECT_FALSE(verifies(field + std::string{kMessage}, Algorithm::ed25519_sha256));
}

// RFC 8463 appendix A.
constexpr std::string_view kRfcEd25519 = "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
                                         " d=football.example.com; i=@football.example.com;\r\n"
                                         " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
                                         " subject : date : message-id : from : subject : date;\r\n"
                                         " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
                                         " b=";
constexpr std::string_view kRfcEd25519Digits = "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus"
                                               "Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==";
constexpr std::string_view kRfcRsa = "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"
                                     " d=football.example.com; i=@football.example.com;\r\n"
                                     " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n"
                                     " date : message-id : from : subject : date;\r\n"
                                     " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
                                     " b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\r\n"
                                     " DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\r\n"
                                     " dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\r\n";
constexpr std::string_view kRfcMessage = "From: Joe SixPack <joe@football.example.com>\r\n"
                                         "To: Suzie Q <suzie@shopping.example.net>\r\n"
                                         "Subject: Is dinner ready?\r\n"
                                         "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
                                         "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"
                                         "\r\n"
                                         "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";
constexpr std::string_view kRfcSecret = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";
constexpr std::string_view kRfcPublic = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
constexpr std::string_view kRfcRsaPublic =
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/"
    "byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/"
    "K4w3QIDAQAB";

TEST(Rfc8463, TheJudgeVerifiesBothSignaturesOfTheAppendix)
{
    const std::string message = std::string{kRfcEd25519} + std::string{kRfcEd25519Digits} + "\r\n" +
                                std::string{kRfcRsa} + std::string{kRfcMessage};
    const auto verdicts = OpendkimVerifier{}.verify(
        message, {{"brisbane._domainkey.football.example.com", dns_record(Algorithm::ed25519_sha256, kRfcPublic)},
                  {"test._domainkey.football.example.com", dns_record(Algorithm::rsa_sha256, kRfcRsaPublic)}});
    ASSERT_TRUE(verdicts) << verdicts.error().detail;
    ASSERT_EQ(verdicts->size(), 2U);
    for (const SignatureVerdict& verdict : *verdicts)
        EXPECT_TRUE(verdict.valid) << verdict.name.selector << verdict.reason;
}

// Our canonicaliser and the way we use Ed25519 give the appendix's octets.
TEST(Rfc8463, OurPartsMakeTheSignatureOfTheAppendix)
{
    const MessageView view = view_message(kRfcMessage).value();
    std::string canonical;
    for (const char* name : {"from", "to", "subject", "date", "message-id"})
        for (const HeaderField& field : view.fields)
            if (field.name == name) relaxed_field(field.text, canonical);
    relaxed_field(kRfcEd25519, canonical);
    canonical.resize(canonical.size() - 2);
    std::array<unsigned char, 32> digest{};
    EVP_Digest(canonical.data(), canonical.size(), digest.data(), nullptr, EVP_sha256(), nullptr);

    const std::string secret = from_base64(kRfcSecret).value();
    const KeyHandle key{EVP_PKEY_new_raw_private_key(
        EVP_PKEY_ED25519, nullptr, reinterpret_cast<const unsigned char*>(secret.data()), secret.size())};
    EXPECT_EQ(public_base64_of(Algorithm::ed25519_sha256, key.get()).value(), kRfcPublic);
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    EVP_DigestSignInit(context, nullptr, nullptr, nullptr, key.get());
    std::string signature(64, '\0');
    std::size_t size = signature.size();
    EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &size, digest.data(), digest.size());
    EVP_MD_CTX_free(context);
    EXPECT_EQ(to_base64(signature), kRfcEd25519Digits);

    const std::string ours =
        MessageDigest::of(view)
            .value()
            .sign({Algorithm::ed25519_sha256, "football.example.com", "brisbane", key.get(), 1'528'637'909, 0})
            .value();
    EXPECT_EQ(tag_value(ours, "bh"), "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=");
    EXPECT_EQ(tag_value(ours, "x"), "");
}

} // namespace
} // namespace penguin::dkim
