#include "control/domains/verification.h"

#include <gtest/gtest.h>

#include "tests/support/run.h"
#include "tests/support/zone_table.h"

namespace penguin::control {
namespace {

DomainName domain(std::string_view text) { return DomainName::parse(text).value(); }

DomainSetup setup()
{
    return {.domain = domain("example.com"),
            .bounce_host = domain("b.example.com"),
            .bounce_mx = domain("bounces.sender.example"),
            .dkim = {{"pm1", DkimAlgorithm::rsa, std::string(392, 'A')}, {"pm2", DkimAlgorithm::ed25519, "QUJD"}},
            .sending_addresses = {boost::asio::ip::make_address("192.0.2.9"),
                                  boost::asio::ip::make_address("192.0.2.1"),
                                  boost::asio::ip::make_address("2001:db8::1")},
            .spf_include = std::nullopt,
            .dmarc_reports = std::nullopt};
}

std::vector<std::string> lines(const DomainSetup& given)
{
    std::vector<std::string> out;
    const auto records = records_to_publish(given);
    if (!records) return {records.error().detail};
    for (const DnsRecord& record : *records)
        out.push_back(std::string{name_of(record.purpose)} + " " + record.name.text() + " " +
                      std::string{name_of(record.type)} + " " + record.presentation +
                      (record.required ? "" : " (optional)"));
    return out;
}

TEST(RecordsToPublish, NameEverythingThatTheDomainNeeds)
{
    EXPECT_EQ(lines(setup()),
              (std::vector<std::string>{
                  "spf example.com TXT \"v=spf1 ip4:192.0.2.1 ip4:192.0.2.9 ip6:2001:db8::1 ~all\"",
                  "dkim pm1._domainkey.example.com TXT \"v=DKIM1; k=rsa; p=" + std::string(237, 'A') + "\" \"" +
                      std::string(155, 'A') + "\"",
                  "dkim pm2._domainkey.example.com TXT \"v=DKIM1; k=ed25519; p=QUJD\"",
                  "dmarc _dmarc.example.com TXT \"v=DMARC1; p=none\" (optional)",
                  "return_path_mx b.example.com MX 10 bounces.sender.example.",
                  "return_path_spf b.example.com TXT \"v=spf1 ip4:192.0.2.1 ip4:192.0.2.9 ip6:2001:db8::1 ~all\"",
              }));
}

TEST(RecordsToPublish, IncludeReportsAndASharedHost)
{
    DomainSetup given = setup();
    given.spf_include = domain("spf.sender.example");
    given.dmarc_reports = EmailAddress::parse("dmarc@sender.example").value();
    given.bounce_host = given.domain;
    given.dkim.pop_back();
    const auto records = records_to_publish(given);
    ASSERT_TRUE(records);
    ASSERT_EQ(records->size(), 4U); // one SPF record does for both
    EXPECT_EQ(records->at(0).value, "v=spf1 include:spf.sender.example ~all");
    EXPECT_EQ(records->at(2).value, "v=DMARC1; p=none; rua=mailto:dmarc@sender.example");
    EXPECT_EQ(records->at(3).name.text(), "example.com");
}

TEST(RecordsToPublish, RefusesWhatCannotBePublished)
{
    const auto detail = [](auto change) {
        DomainSetup given = setup();
        change(given);
        const auto records = records_to_publish(given);
        return records ? std::string{"accepted"} : records.error().detail.substr(0, records.error().detail.find(':'));
    };
    EXPECT_EQ(detail([](auto& s) { s.bounce_host = domain("b.other.example"); }), "bounce_host");
    EXPECT_EQ(detail([](auto& s) { s.bounce_mx = domain("mx.b.example.com"); }), "bounce_mx");
    EXPECT_EQ(detail([](auto& s) { s.dkim.clear(); }), "dkim");
    EXPECT_EQ(detail([](auto& s) { s.dkim.resize(kDkimKeysMax + 1, s.dkim[0]); }), "dkim");
    EXPECT_EQ(detail([](auto& s) { s.dkim[0].selector = "not a label"; }), "dkim selector not a label");
    EXPECT_EQ(detail([](auto& s) { s.dkim[0].selector = ""; }), "dkim selector ");
    EXPECT_EQ(detail([](auto& s) { s.dkim[0].public_key_base64 = "QUJ\"; p=x"; }), "dkim selector pm1");
    EXPECT_EQ(detail([](auto& s) { s.dkim[0].public_key_base64 = ""; }), "dkim selector pm1");
    EXPECT_EQ(detail([](auto& s) { s.sending_addresses.clear(); }), "sending_addresses");
    EXPECT_EQ(detail([](auto& s) { s.sending_addresses.resize(kSendingAddressesMax + 1); }), "sending_addresses");
}

TEST(TxtPresentation, QuotesEscapesAndSplits)
{
    EXPECT_EQ(txt_presentation(""), "\"\"");
    EXPECT_EQ(txt_presentation("a\"b\\c"), "\"a\\\"b\\\\c\"");
    EXPECT_EQ(txt_presentation(std::string(255, 'x')), "\"" + std::string(255, 'x') + "\"");
    EXPECT_EQ(txt_presentation(std::string(511, 'x')),
              "\"" + std::string(255, 'x') + "\" \"" + std::string(255, 'x') + "\" \"x\"");
}

struct VerificationTest : testing::Test {
    asio::io_context io;
    tests::ZoneTable dns;

    void publish(const DomainSetup& given)
    {
        for (const DnsRecord& record : records_to_publish(given).value()) {
            if (record.type == RecordType::mx)
                dns.add_mx(record.name.text(), 10, given.bounce_mx.text());
            else
                dns.add_txt(record.name.text(), record.value);
        }
    }
    Verification verified(const DomainSetup& given) { return tests::run(io, verify(dns, given)).value(); }
    static std::vector<std::string> statuses(const Verification& verification)
    {
        std::vector<std::string> out;
        for (const RecordCheck& check : verification.checks) out.emplace_back(name_of(check.status));
        return out;
    }
};
using Statuses = std::vector<std::string>;

TEST_F(VerificationTest, WhatWeAskForIsWhatWeAccept)
{
    publish(setup());
    const Verification verification = verified(setup());
    EXPECT_EQ(statuses(verification), (Statuses{"ok", "ok", "ok", "ok", "ok", "ok"}));
    EXPECT_TRUE(verification.verified());
    EXPECT_EQ(verification.checks[0].found, (Statuses{verification.checks[0].record.value}));
    EXPECT_EQ(verification.checks[4].found, (Statuses{"10 bounces.sender.example"}));
}

TEST_F(VerificationTest, NothingPublishedIsAllMissing)
{
    const Verification verification = verified(setup());
    EXPECT_EQ(statuses(verification), (Statuses{"missing", "missing", "missing", "missing", "missing", "missing"}));
    EXPECT_EQ(verification.standing(), Standing::unverified);
    for (const RecordCheck& check : verification.checks) EXPECT_FALSE(check.detail.empty());
}

TEST_F(VerificationTest, EachRequiredRecordIsNeededDmarcIsNot)
{
    const auto records = records_to_publish(setup()).value();
    for (std::size_t i = 0; i < records.size(); ++i) {
        dns = {};
        publish(setup());
        dns.remove(records[i].name.text());
        if (records[i].purpose == RecordPurpose::return_path_mx)
            dns.add_txt(records[i].name.text(), "v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::1 ~all");
        if (records[i].purpose == RecordPurpose::return_path_spf)
            dns.add_mx(records[i].name.text(), 10, "bounces.sender.example");
        const Verification verification = verified(setup());
        EXPECT_EQ(name_of(verification.checks[i].status), "missing") << i;
        EXPECT_EQ(verification.verified(), records[i].purpose == RecordPurpose::dmarc) << i;
    }
}

TEST_F(VerificationTest, ADnsThatDoesNotAnswerSaysNothingAboutTheRecords)
{
    publish(setup());
    dns.fail("pm1._domainkey.example.com", Errc::unavailable);
    dns.fail("_dmarc.example.com", Errc::timeout);
    const Verification unknown = verified(setup());
    EXPECT_EQ(statuses(unknown), (Statuses{"ok", "error", "ok", "error", "ok", "ok"}));
    EXPECT_EQ(unknown.standing(), Standing::unknown);
    dns.remove("pm2._domainkey.example.com");
    EXPECT_EQ(verified(setup()).standing(), Standing::unverified);
    dns.succeed("pm1._domainkey.example.com");
    dns.add_txt("pm2._domainkey.example.com", "v=DKIM1; k=ed25519; p=QUJD");
    EXPECT_EQ(verified(setup()).standing(), Standing::verified); // DMARC is not required, so neither is its answer
}

TEST_F(VerificationTest, ThePolicyOfADomainAboveCounts)
{
    DomainSetup below = setup();
    below.domain = domain("news.eu.example.com");
    below.bounce_host = domain("b.news.eu.example.com");
    publish(below);
    dns.remove("_dmarc.news.eu.example.com");
    EXPECT_EQ(verified(below).checks[3].status, RecordStatus::missing);
    EXPECT_EQ(dns.asked("TXT _dmarc.com"), 0U);
    dns.add_txt("_dmarc.example.com", "v=DMARC1; p=reject");
    const RecordCheck check = verified(below).checks[3];
    EXPECT_EQ(check.status, RecordStatus::ok);
    EXPECT_EQ(check.detail, "the policy of example.com applies");
    EXPECT_EQ(check.record.name.text(), "_dmarc.news.eu.example.com");
    EXPECT_EQ(check.found, (Statuses{"v=DMARC1; p=reject"}));
}

TEST_F(VerificationTest, ShowsABoundedPartOfWhatItFinds)
{
    publish(setup());
    for (int i = 0; i < 40; ++i) dns.add_txt("pm1._domainkey.example.com", std::to_string(i) + std::string(5000, 'x'));
    const RecordCheck check = verified(setup()).checks[1];
    EXPECT_EQ(check.status, RecordStatus::wrong);
    EXPECT_EQ(check.found.size(), kFoundMax);
    for (const std::string& text : check.found) EXPECT_LE(text.size(), kFoundTextMax);
}

TEST_F(VerificationTest, ABadSetupIsRefused)
{
    DomainSetup bad = setup();
    bad.dkim.clear();
    EXPECT_EQ(tests::run(io, verify(dns, bad)).error().code, Errc::bad_value);
    EXPECT_EQ(dns.asked_in_all(), 0U);
}

} // namespace
} // namespace penguin::control
