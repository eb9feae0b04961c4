#include "bench/sink/sink_profile.h"

#include <gtest/gtest.h>

namespace penguin::bench {
namespace {

struct BadProfile {
    const char* name;
    const char* text;
    const char* said; // begins the error
};

class BadProfileTest : public testing::TestWithParam<BadProfile> {};

TEST_P(BadProfileTest, NamesTheKeyAndTheRule)
{
    const Result<SinkProfile> profile = SinkProfile::parse(std::string{GetParam().text});
    ASSERT_FALSE(profile.has_value());
    EXPECT_EQ(profile.error().code, Errc::bad_value);
    EXPECT_TRUE(profile.error().detail.starts_with(GetParam().said)) << profile.error().detail;
}

constexpr BadProfile kBad[] = {
    {"NoToml", "name = ", "profile: line 1: "},
    {"NoName", "seed = 1", "profile: name: a text that is not empty"},
    {"UnknownKey", "name = 'x'\nspeed = 1", "profile: speed: no such key"},
    {"UnknownTable", "name = 'x'\n[limits.messages]\nmax = 1", "profile: limits.messages: no such key"},
    {"UnknownKeyOfALimit", "name = 'x'\n[limits.messages-per-day]\nmax = 1\nper-s = 1\nreply = '450 x'",
     "profile: limits.messages-per-day.per-s: no such key"},
    {"NoMax", "name = 'x'\n[limits.messages-per-day]\nreply = '450 x'",
     "profile: limits.messages-per-day.max: a whole number, 1 to"},
    {"NoWindow", "name = 'x'\n[limits.message-rate]\nmax = 1\nreply = '450 x'",
     "profile: limits.message-rate.per-s: a whole number, 1 to"},
    {"PositiveReply", "name = 'x'\n[limits.messages-per-day]\nmax = 1\nreply = '250 x'",
     "profile: limits.messages-per-day.reply: a reply such as"},
    {"ReplyAndDrop", "name = 'x'\n[limits.messages-per-day]\nmax = 1\nreply = '450 x'\ndrop = true",
     "profile: limits.messages-per-day.drop: not beside reply"},
    {"Share", "name = 'x'\n[recipients.unknown]\nshare = 1.5\nreply = '550 x'",
     "profile: recipients.unknown.share: a number, 0 to 1"},
    {"Shares",
     "name = 'x'\n[recipients]\nunknown = {share = 0.6, reply = '550 x'}\nfull = {share = 0.6, reply = '452 x'}",
     "profile: recipients.full.share: at most 1 together"},
    {"Greylisting", "name = 'x'\n[greylisting]\ndelay-s = 9\nretry-s = 9\nreply = '450 x'",
     "profile: greylisting.retry-s: more than delay-s"},
    {"Tls", "name = 'x'\n[tls]\nvariant = 'best'", "profile: tls.variant: one of good, none"},
    {"TlsRequired", "name = 'x'\n[tls]\nvariant = 'none'\nrequired-reply = '530 x'",
     "profile: tls.required-reply: not with variant none"},
    {"Fault", "name = 'x'\n[[faults]]\nphase = 'body'", "profile: faults[0].action: one of delay, drop, stall"},
    {"FaultWithoutDelay", "name = 'x'\n[[faults]]\nphase = 'body'\naction = 'delay'",
     "profile: faults[0].delay-ms: a whole number"},
    {"Tarpit", "name = 'x'\ntarpit = 5", "profile: tarpit: a table"},
    {"ReputationOfNobody", "name = 'x'\n[reputation]\nstart = 60",
     "profile: reputation.address: a table, or domain is one"},
    {"ReputationStart", "name = 'x'\n[reputation]\nstart = 10", "profile: reputation.start: a number, 20 to 100"},
    {"ReputationForget", "name = 'x'\n[reputation]\nforget-days = 91",
     "profile: reputation.forget-days: a whole number, 1 to 90"},
    {"ReputationMeasure", "name = 'x'\n[reputation.unknown]\ntolerated = 0.1\ncritical = 0.1\nweight = 1\nsample = 1",
     "profile: reputation.unknown.critical: more than tolerated"},
    {"ReputationWeight", "name = 'x'\n[reputation.complaints]\ntolerated = 0.1\ncritical = 0.2\nsample = 1",
     "profile: reputation.complaints.weight: a number, 0 to 100"},
    {"ReputationGrade",
     "name = 'x'\n[reputation.bad]\nallowed = 0.1\n[reputation.address]\n"
     "throttled-reply = '421 x'\ndeferred-reply = '421 x'\nblocked-reply = '550 x'",
     "profile: reputation.bad: no such key"},
    {"ReputationReply", "name = 'x'\n[reputation.domain]\nthrottled-reply = '421 x'\ndeferred-reply = '421 x'",
     "profile: reputation.domain.blocked-reply: a reply such as"},
    {"ReputationThrottle", "name = 'x'\n[reputation.throttle]\nquiet-min = 0",
     "profile: reputation.throttle.quiet-min: a whole number, 1 to 1440"},
    {"ReputationHostile", "name = 'x'\n[reputation.hostile]\nfactor = 0.5",
     "profile: reputation.hostile.from-day: a whole number, 1 to 10000"},
    {"ReportsFrom", "name = 'x'\n[reports]\nfrom = 'nobody'", "profile: reports.from: an address"},
    {"ReportsTo", "name = 'x'\n[reports]\nfrom = 'a@x.example'\nto = 'ä@x.example'",
     "profile: reports.to: an address, ASCII alone"},
    {"ReportsRedact", "name = 'x'\n[reports]\nfrom = 'a@x.example'\nredact = 1",
     "profile: reports.redact: true or false"},
    {"Pace", "name = 'x'\n[pace]\nper-s = 0", "profile: pace.per-s: a whole number, 1 to"},
};
INSTANTIATE_TEST_SUITE_P(Keys, BadProfileTest, testing::ValuesIn(kBad),
                         [](const auto& row) { return std::string{row.param.name}; });

TEST(SinkProfile, ReadsWhatItNames)
{
    const SinkProfile profile = SinkProfile::parse(R"(
        name = "x"
        seed = 7
        limits.message-rate = {max = 3, per-s = 60, reply = "421 4.7.28 slow\n4.7.28 down, [{ip}]"}
        limits.messages-per-connection = {max = 2, drop = true}
        tls.variant = "stalled"
        [[faults]]
        phase = "data"
        action = "stall"
        share = 0.5
    )")
                                    .value();
    EXPECT_EQ(profile.seed, 7U);
    EXPECT_EQ(profile.tls, ProviderTls::stalled);
    EXPECT_EQ(profile.message_rate.value().per, std::chrono::seconds{60});
    const smtp::Reply reply = profile.message_rate.value().answer.reply("192.0.2.1", "");
    EXPECT_EQ(reply, smtp::Reply::make(421, {"4.7.28 slow", "4.7.28 down, [192.0.2.1]"}));
    EXPECT_EQ(profile.messages_per_connection.value().answer.code, 0);
    ASSERT_EQ(profile.faults.size(), 1U);
    EXPECT_EQ(profile.faults[0].phase, SinkPhase::data);
    EXPECT_FALSE(profile.greylisting.has_value());
}

TEST(SinkProfile, ReadsReputationAndReports)
{
    const SinkProfile profile = SinkProfile::parse(R"(
        name = "x"
        [reputation]
        start = 50
        growth = 1.5
        rise-h = 100
        [reputation.complaints]
        tolerated = 0.001
        critical = 0.003
        weight = 60
        sample = 1000
        [reputation.low]
        allowed = 0.1
        deferred = 0.5
        [reputation.throttle]
        ramp-min = 30
        [reputation.hostile]
        from-day = 8
        [reputation.domain]
        throttled-reply = "421 4.7.28 [{domain}]"
        deferred-reply = "421 4.7.0 later"
        blocked-reply = "550 5.7.1 never"
        [reports]
        from = "fbl@x.example"
        per-min = 5
    )")
                                    .value();
    const ProviderReputation& reputation = profile.reputation.value();
    EXPECT_EQ(reputation.rules.start, 50);
    EXPECT_EQ(reputation.rules.growth, 1.5);
    EXPECT_EQ(reputation.rules.first_day, 500); // where nothing stands
    EXPECT_EQ(reputation.rules.rise, std::chrono::hours{100});
    EXPECT_EQ(reputation.rules.complaints.sample, 1000);
    EXPECT_EQ(reputation.rules.treatment[static_cast<std::size_t>(Grade::low)].deferred, 0.5);
    EXPECT_EQ(reputation.rules.throttle.ramp, std::chrono::minutes{30});
    EXPECT_EQ(reputation.rules.hostile.value().from_day, 8);
    EXPECT_EQ(reputation.rules.hostile.value().factor, 0.25);
    EXPECT_FALSE(reputation.address.has_value());
    EXPECT_EQ(reputation.domain.value().throttled.reply("", "", "s.example").text(), "4.7.28 [s.example]");
    EXPECT_EQ(profile.reports.value().from.text(), "fbl@x.example");
    EXPECT_EQ(profile.reports.value().per_minute, 5U);
    EXPECT_FALSE(profile.reports.value().to.has_value());
}

TEST(SinkProfile, AFileThatIsNotThereIsAnError)
{
    EXPECT_EQ(SinkProfile::read("/nonexistent/profile.toml").error().code, Errc::bad_value);
}

} // namespace
} // namespace penguin::bench
