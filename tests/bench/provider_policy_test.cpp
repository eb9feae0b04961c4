#include "bench/sink/provider_policy.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace penguin::bench {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kStart{1000h};

SinkProfile profile_of(const std::string& text) { return SinkProfile::parse("name = 'x'\n" + text).value(); }

// One client's steps; the code that it heard, 0 for silence, 250 for yes.
struct Client {
    ProviderPolicy& policy;
    ProviderVisit visit{.address = "192.0.2.1"};

    int say(const ProviderStep& step, SteadyTime now = kStart)
    {
        const ProviderVerdict verdict = policy.judge(visit, step, now);
        if (verdict.action != ProviderVerdict::Action::answer) return 0;
        return verdict.reply ? verdict.reply->code : 250;
    }
    int connect(SteadyTime now = kStart) { return say({.phase = SinkPhase::greeting}, now); }
    int mail(SteadyTime now = kStart) { return say({.phase = SinkPhase::mail, .sender = "a@s.example"}, now); }
    int rcpt(std::string_view recipient, SteadyTime now = kStart)
    {
        return say({.phase = SinkPhase::rcpt, .sender = "a@s.example", .recipient = recipient, .recipients = 1}, now);
    }
};

TEST(ProviderPolicy, ConnectionsAreCountedByAddressAndGivenBack)
{
    const SinkProfile profile = profile_of("limits.concurrent-connections = {max = 1, reply = '421 busy'}");
    ProviderPolicy policy{profile};
    Client first{policy};
    Client second{policy};
    Client other{policy, {.address = "192.0.2.2"}};
    EXPECT_EQ(first.connect(), 250);
    EXPECT_EQ(second.connect(), 421);
    EXPECT_EQ(other.connect(), 250);
    policy.leave(second.visit); // was refused: gives nothing back
    EXPECT_EQ(Client{policy}.connect(), 421);
    policy.leave(first.visit);
    EXPECT_EQ(second.connect(), 250);
}

TEST(ProviderPolicy, AWindowBeginsWithItsFirstEvent)
{
    const SinkProfile profile = profile_of("limits.message-rate = {max = 2, per-s = 60, reply = '450 slow'}\n"
                                           "limits.messages-per-day = {max = 3, reply = '451 day'}");
    ProviderPolicy policy{profile};
    Client client{policy};
    client.connect();
    EXPECT_EQ(client.mail(kStart), 250);
    EXPECT_EQ(client.mail(kStart + 59s), 250);
    EXPECT_EQ(client.mail(kStart + 59s), 450);
    EXPECT_EQ(client.mail(kStart + 60s), 250);
    EXPECT_EQ(client.mail(kStart + 60s), 451);
    EXPECT_EQ(client.mail(kStart + 24h), 250);
}

TEST(ProviderPolicy, ARefusedConnectionDoesNotUseUpTheRate)
{
    const SinkProfile profile = profile_of("limits.connection-rate = {max = 1, per-s = 10, reply = '421 slow'}");
    ProviderPolicy policy{profile};
    EXPECT_EQ(Client{policy}.connect(kStart), 250);
    EXPECT_EQ(Client{policy}.connect(kStart + 9s), 421);
    EXPECT_EQ(Client{policy}.connect(kStart + 10s), 250);
}

// Of all its connections together, and what was not used is not saved up.
TEST(ProviderPolicy, MessagesOfAClientWaitForTheirTurnsAtItsPace)
{
    const SinkProfile profile = profile_of("pace.per-s = 200");
    ProviderPolicy policy{profile};
    Client first{policy};
    Client second{policy};
    Client other{policy, {.address = "192.0.2.2"}};
    for (Client* client : {&first, &second, &other}) client->connect();
    const auto delay = [&policy](Client& client, SteadyTime now) {
        return policy.judge(client.visit, {.phase = SinkPhase::body, .sender = "a@s.example"}, now).delay;
    };
    EXPECT_EQ(delay(first, kStart), 0ms);
    EXPECT_EQ(delay(second, kStart), 5ms);
    EXPECT_EQ(delay(first, kStart + 1ms), 9ms);
    EXPECT_EQ(delay(other, kStart + 1ms), 0ms);
    EXPECT_EQ(delay(second, kStart + 1h), 0ms);
    EXPECT_EQ(delay(first, kStart + 1h), 5ms);
}

TEST(ProviderPolicy, GreylistsATripletUntilItsDelayIsOver)
{
    const SinkProfile profile =
        profile_of("greylisting = {delay-s = 300, retry-s = 3600, keep-s = 86400, reply = '450 4.2.0 later'}");
    ProviderPolicy policy{profile};
    Client client{policy};
    client.connect();
    EXPECT_EQ(client.rcpt("a@x.example"), 450);
    EXPECT_EQ(client.rcpt("a@x.example", kStart + 299s), 450);
    EXPECT_EQ(client.rcpt("A@x.example", kStart + 300s), 250);
    EXPECT_EQ(client.rcpt("b@x.example", kStart + 300s), 450);         // another triplet
    EXPECT_EQ(client.rcpt("a@x.example", kStart + 300s + 24h), 250);   // kept from its last use
    EXPECT_EQ(client.rcpt("a@x.example", kStart + 301s + 48h), 450);   // kept no longer
    EXPECT_EQ(client.rcpt("b@x.example", kStart + 300s + 3601s), 450); // came back too late: new again
}

TEST(ProviderPolicy, UnknownAndFullAreDecidedBySeedAndRecipientAlone)
{
    const std::string rules = "recipients.unknown = {share = 0.2, reply = '550 5.1.1 {rcpt}'}\n"
                              "recipients.full = {share = 0.1, reply = '452 4.2.2 full'}";
    const SinkProfile one = profile_of("seed = 1\n" + rules);
    const SinkProfile two = profile_of("seed = 2\n" + rules);
    ProviderPolicy policy{one};
    ProviderPolicy again{one};
    ProviderPolicy other{two};
    std::size_t unknown = 0;
    std::size_t full = 0;
    std::size_t differs = 0;
    for (int i = 0; i < 10'000; ++i) {
        const std::string recipient = std::to_string(i) + "@x.example";
        const int code = Client{policy}.rcpt(recipient);
        EXPECT_EQ((Client{again, {.address = "192.0.2.9"}}.rcpt(recipient)), code);
        unknown += code == 550 ? 1 : 0;
        full += code == 452 ? 1 : 0;
        differs += Client{other}.rcpt(recipient) != code ? 1 : 0;
    }
    EXPECT_NEAR(static_cast<double>(unknown), 2000, 150);
    EXPECT_NEAR(static_cast<double>(full), 1000, 150);
    EXPECT_GT(differs, 1000U);
}

TEST(ProviderPolicy, TheTarpitBeginsAfterItsRefusals)
{
    const SinkProfile profile = profile_of("recipients.unknown = {share = 1, reply = '550 no'}\n"
                                           "tarpit = {refusals = 2, delay-ms = 5000}");
    ProviderPolicy policy{profile};
    ProviderVisit visit{.address = "192.0.2.1"};
    const ProviderStep rcpt{.phase = SinkPhase::rcpt, .recipient = "a@x.example"};
    EXPECT_EQ(policy.judge(visit, rcpt, kStart).delay, 0ms);
    EXPECT_EQ(policy.judge(visit, rcpt, kStart).delay, 5s);
    EXPECT_EQ(policy.judge(visit, {.phase = SinkPhase::data}, kStart).delay, 5s);
}

TEST(ProviderPolicy, FaultsAreTheSameForTheSameOrderOfSteps)
{
    const SinkProfile profile = profile_of("faults = [{phase = 'ehlo', action = 'drop', share = 0.3}]");
    const auto course = [&profile] {
        ProviderPolicy policy{profile};
        std::string out;
        for (int i = 0; i < 1000; ++i) {
            Client client{policy};
            client.connect();
            out += client.say({.phase = SinkPhase::ehlo}) == 0 ? 'x' : '.';
            policy.leave(client.visit);
        }
        return out;
    };
    const std::string first = course();
    EXPECT_EQ(course(), first);
    EXPECT_NEAR(static_cast<double>(std::ranges::count(first, 'x')), 300, 60);
}

TEST(ProviderPolicy, FaultsAddTheirDelaysAndTheFirstEndCounts)
{
    const SinkProfile profile = profile_of("faults = [{phase = 'body', action = 'delay', delay-ms = 7}, "
                                           "{phase = 'body', action = 'stall'}, {phase = 'body', action = 'drop'}]");
    ProviderPolicy policy{profile};
    ProviderVisit visit{.address = "192.0.2.1"};
    const ProviderVerdict verdict = policy.judge(visit, {.phase = SinkPhase::body}, kStart);
    EXPECT_EQ(verdict.delay, 7ms);
    EXPECT_EQ(verdict.action, ProviderVerdict::Action::stall);
    EXPECT_EQ(policy.judge(visit, {.phase = SinkPhase::data}, kStart).reason, ProviderReason::none);
}

TEST(ProviderPolicy, ForgetsTheOldestButNobodyWhoIsConnected)
{
    const SinkProfile profile = profile_of("limits.messages-per-day = {max = 1, reply = '450 day'}\n"
                                           "greylisting = {reply = '450 later'}");
    ProviderPolicy policy{profile, {.idle_addresses = 2, .triplets = 3}};
    Client stays{policy};
    stays.connect();
    EXPECT_EQ(stays.mail(), 250);
    for (int i = 0; i < 10; ++i) {
        Client passing{policy, {.address = "198.51.100." + std::to_string(i)}};
        passing.connect();
        EXPECT_EQ(passing.mail(), 250);
        passing.rcpt("a@x.example");
        policy.leave(passing.visit);
    }
    EXPECT_EQ(policy.addresses(), 3U);
    EXPECT_EQ(policy.triplets(), 3U);
    EXPECT_EQ(stays.mail(), 450);
    Client remembered{policy, {.address = "198.51.100.9"}};
    remembered.connect();
    EXPECT_EQ(remembered.mail(), 450);
    Client forgotten{policy, {.address = "198.51.100.0"}};
    forgotten.connect();
    EXPECT_EQ(forgotten.mail(), 250);
}

} // namespace
} // namespace penguin::bench
