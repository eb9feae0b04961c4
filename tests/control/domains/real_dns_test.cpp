// What we tell a tenant to publish, put into a zone file as it is, must be what a real name server gives back and we accept.
#include <gtest/gtest.h>

#include "control/domains/verification.h"
#include "engine/dns/cares_resolver.h"
#include "tests/support/dns_server.h"
#include "tests/support/run.h"

namespace penguin::control {
namespace {

DomainName domain(std::string_view text) { return DomainName::parse(text).value(); }

TEST(RealDns, ThePublishedZoneFileVerifies)
{
    const DomainSetup setup{.domain = domain("tenant.example"),
                            .bounce_host = domain("b.tenant.example"),
                            .bounce_mx = domain("bounces.sender.test"),
                            .dkim = {{"pm1", DkimAlgorithm::rsa, std::string(392, 'Q')},
                                     {"pm2", DkimAlgorithm::ed25519, std::string(43, 'E') + "="}},
                            .sending_addresses = {boost::asio::ip::make_address("192.0.2.1")},
                            .spf_include = domain("spf.sender.test"),
                            .dmarc_reports = EmailAddress::parse("dmarc@sender.test").value()};
    std::string zone;
    for (const DnsRecord& record : records_to_publish(setup).value())
        zone += record.name.text() + ". IN " + std::string{name_of(record.type)} + " " + record.presentation + "\n";
    const tests::DnsServer server{
        {{"tenant.example", zone}, {"other.example", "other.example. IN TXT \"v=spf1 -all\""}}};

    asio::io_context io;
    Registry metrics;
    dns::CaresResolver::Options options;
    options.servers = {server.server()};
    const auto resolver = dns::CaresResolver::open(io.get_executor(), options, metrics).value();
    const Verification verification = tests::run(io, verify(*resolver, setup)).value();
    for (const RecordCheck& check : verification.checks)
        EXPECT_EQ(check.status, RecordStatus::ok) << check.record.name.text() << ": " << check.detail;
    EXPECT_TRUE(verification.verified());

    DomainSetup other = setup;
    other.domain = domain("other.example");
    other.bounce_host = domain("b.other.example");
    const Verification unverified = tests::run(io, verify(*resolver, other)).value();
    EXPECT_EQ(unverified.standing(), Standing::unverified);
    EXPECT_EQ(unverified.checks[0].status, RecordStatus::wrong);
    EXPECT_EQ(unverified.checks[1].status, RecordStatus::missing);

    DomainSetup nowhere = setup;
    nowhere.domain = domain("nowhere.test"); // REFUSED: not a zone of this server
    nowhere.bounce_host = domain("b.nowhere.test");
    EXPECT_EQ(tests::run(io, verify(*resolver, nowhere))->standing(), Standing::unknown);
}

} // namespace
} // namespace penguin::control
