#include "engine/delivery/subject_of.h"

#include <gtest/gtest.h>

namespace penguin::delivery {
namespace {

using boost::asio::ip::make_address;

TEST(SubjectOf, ANetblockIsWhatOthersTakeForOneSender)
{
    EXPECT_EQ(netblock_of(make_address("192.0.2.77")), "192.0.2.0/24");
    EXPECT_EQ(netblock_of(make_address("2001:db8:0:1:2:3:4:5")), "2001:db8:0:1::/64");
}

JobPtr job_to(const char* mx)
{
    queue::Entry entry{.id = *MessageId::parse("017f22e2-79b0-7cc3-98c4-dc0c0c07398f.7"),
                       .tenant = TenantId{*Uuid::parse("017f22e2-79b0-7cc3-98c4-dc0c0c073990")},
                       .campaign = CampaignId{*Uuid::parse("017f22e2-79b0-7cc3-98c4-dc0c0c073991")},
                       .from = *EmailAddress::parse("news@a.example"),
                       .to = *EmailAddress::parse("ann@b.example")};
    auto job = std::make_shared<Job>(nullptr, queue::Claimed{"t1", std::move(entry)});
    dns::Route route{.domain = *DomainName::parse("b.example"), .site = SiteName{"site"}, .hosts = {}, .expires = {}};
    route.hosts.push_back({.name = *DomainName::parse(mx), .preference = 10, .addresses = {}});
    job->route = std::make_shared<const Result<dns::Route>>(std::move(route));
    job->source = SourceSettings{SourceId{}, make_address("192.0.2.1"), *DomainName::parse("out.example"), {}};
    return job;
}

TEST(SubjectOf, AJobIsKnownByAllThatMayBePaused)
{
    const JobPtr job = job_to("mx.google.com");
    const policy::Subject subject = subject_of(*job, *policy::shipped_rules());
    EXPECT_EQ(subject.provider, "gmail");
    EXPECT_EQ(subject.site, "site");
    EXPECT_EQ(subject.source, "192.0.2.1");
    EXPECT_EQ(subject.netblock, "192.0.2.0/24");
    EXPECT_EQ(subject.recipient_domain, "b.example");
    EXPECT_EQ(subject.sender_domain, "a.example");
    EXPECT_EQ(subject.campaign, "017f22e2-79b0-7cc3-98c4-dc0c0c073991");
}

TEST(SubjectOf, ASiteOfNobodyKnownIsItsOwnProvider)
{
    const JobPtr job = job_to("mx.b.example");
    EXPECT_EQ(subject_of(*job, *policy::shipped_rules()).provider, "site");
}

} // namespace
} // namespace penguin::delivery
