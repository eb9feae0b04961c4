// A provider's mind with reputations, step by step and without a network.
#include "bench/sink/reputation_book.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace penguin::bench {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kStart{1000h};

constexpr const char* kReplies = "throttled-reply = '421 4.7.28 {ip}{domain} throttled'\n"
                                 "deferred-reply = '421 4.7.0 {ip}{domain} deferred'\n"
                                 "blocked-reply = '550 5.7.1 {ip}{domain} blocked'\n";

SinkProfile profile_of(const std::string& reputation, bool address = true, bool domain = false)
{
    std::string text = "name = 'x'\nrecipients.unknown = {share = 0.0, reply = '550 5.1.1 no'}\n[reputation]\n";
    text += reputation + "\n";
    if (address) text += std::string{"[reputation.address]\n"} + kReplies;
    if (domain) text += std::string{"[reputation.domain]\n"} + kReplies;
    return SinkProfile::parse(text).value();
}

struct Client {
    ProviderGate& gate;
    std::string sender = "a@s.example";
    ProviderVisit visit{.address = "192.0.2.1"};

    ProviderVerdict step(SinkPhase phase, SteadyTime now, std::size_t recipients = 1)
    {
        return gate.judge(
            visit, {.phase = phase, .sender = sender, .recipient = "r@x.example", .recipients = recipients}, now);
    }
    // One message with so many recipients: what MAIL got, or "250".
    std::string send(SteadyTime now = kStart, std::size_t recipients = 1, std::size_t* complaints = nullptr)
    {
        const ProviderVerdict mail = step(SinkPhase::mail, now);
        if (mail.reply) return std::to_string(mail.reply->code) + " " + mail.reply->text();
        const ProviderVerdict body = step(SinkPhase::body, now, recipients);
        if (complaints != nullptr) *complaints += body.complaints.size();
        return "250";
    }
};

boost::json::object told(ProviderGate& gate, const char* kind, SteadyTime now = kStart)
{
    return boost::json::parse(gate.reputations(now)).at(kind).as_object();
}

TEST(ReputationBook, AnAddressHasItsDayAndHearsWhenItIsUsed)
{
    ProviderGate gate{profile_of("first-day = 3")};
    Client client{gate};
    Client other{.gate = gate, .visit = {.address = "192.0.2.2"}};
    for (int i = 0; i < 3; ++i) EXPECT_EQ(client.send(), "250");
    EXPECT_EQ(client.send(), "421 4.7.28 192.0.2.1s.example throttled");
    EXPECT_EQ(other.send(), "250");
    EXPECT_EQ(client.send(kStart + 24h), "250");
    const boost::json::object all = told(gate, "addresses", kStart + 24h);
    EXPECT_EQ(all.at("known").to_number<int>(), 2);
    const boost::json::object& first = all.at("poorest").at(1).as_object(); // the other did less
    EXPECT_EQ(first.at("name"), "192.0.2.1");
    EXPECT_EQ(first.at("pushed").to_number<int>(), 1);
    EXPECT_EQ(first.at("allowed_today").to_number<int>(), 6);
    EXPECT_EQ(first.at("sent_today").to_number<int>(), 1);
    EXPECT_EQ(first.at("grade"), "medium");
    EXPECT_EQ(boost::json::parse(gate.reputations(kStart + 24h)).at("day").to_number<int>(), 2);
}

// A domain is known over all addresses, and what it did is not the address's fault.
TEST(ReputationBook, WhoIsToBlameIsToldAndCharged)
{
    ProviderGate gate{profile_of("first-day = 3", true, true)};
    Client one{gate};
    Client two{.gate = gate, .visit = {.address = "192.0.2.2"}};
    EXPECT_EQ(one.send(), "250");
    EXPECT_EQ(one.send(), "250");
    two.sender = "b@S.example";
    EXPECT_EQ(two.send(), "250");
    EXPECT_EQ(two.send(), "421 4.7.28 192.0.2.2s.example throttled");
    two.sender = "b@other.example";
    EXPECT_EQ(two.send(), "250");
    two.sender = ""; // has no domain
    EXPECT_EQ(two.send(), "250");
    for (const auto& address : told(gate, "addresses").at("poorest").as_array())
        EXPECT_EQ(address.at("pushed").to_number<int>(), 0);
    const boost::json::object domains = told(gate, "domains");
    EXPECT_EQ(domains.at("known").to_number<int>(), 2);
    int pushed = 0;
    for (const auto& domain : domains.at("poorest").as_array()) pushed += domain.at("pushed").to_number<int>();
    EXPECT_EQ(pushed, 1);
}

TEST(ReputationBook, UnknownUsersLeadToDeferralsAndThenToABlock)
{
    SinkProfile profile = profile_of("fall-h = 6\n[reputation.unknown]\ntolerated = 0.03\ncritical = 0.1\nweight = "
                                     "60\nsample = 10\n[reputation.low]\nallowed = 0.5\ndeferred = 0.4");
    profile.unknown->share = 1;
    ProviderGate gate{profile};
    Client client{gate};
    std::string course; // one letter each
    for (SteadyTime now = kStart; now < kStart + 12h; now += 5min) {
        const std::string heard = client.send(now);
        if (heard == "250") client.step(SinkPhase::rcpt, now);
        const char letter = heard == "250" ? '.' : heard.starts_with("421") ? 'd' : 'B';
        if (course.empty() || course.back() != letter) course += letter;
    }
    EXPECT_TRUE(course.starts_with(".d.")) << course; // some are put off, others not
    EXPECT_TRUE(course.ends_with("B")) << course;     // and then none is taken
    EXPECT_EQ(course.find('B'), course.size() - 1);
}

TEST(ReputationBook, LimitsShrinkWithTheReputation)
{
    SinkProfile profile = profile_of("start = 40\n[reputation.low]\nallowed = 0.2");
    profile.message_rate = ProviderLimit{.max = 10, .per = 60s, .answer = {.code = 450, .lines = {"slow"}}};
    profile.concurrent_connections = ProviderLimit{.max = 10, .answer = {.code = 421, .lines = {"many"}}};
    ProviderGate gate{profile};
    Client client{gate};
    EXPECT_EQ(client.send(), "250");
    EXPECT_EQ(client.send(), "250");
    EXPECT_EQ(client.send(), "450 slow");
    std::vector<Client> visitors(3, Client{gate});
    EXPECT_FALSE(visitors[0].step(SinkPhase::greeting, kStart).reply.has_value());
    EXPECT_FALSE(visitors[1].step(SinkPhase::greeting, kStart).reply.has_value());
    EXPECT_TRUE(visitors[2].step(SinkPhase::greeting, kStart).reply.has_value());
}

TEST(ReputationBook, ComplaintsAreAShareThatSeedAndOrderDecide)
{
    const auto complaints = [](std::uint64_t seed) {
        SinkProfile profile = profile_of("first-day = 100000\n[reputation.medium]\ncomplained = 0.1");
        profile.seed = seed;
        ProviderGate gate{profile};
        Client client{gate};
        std::vector<std::size_t> out;
        for (int i = 0; i < 100; ++i) {
            std::size_t count = 0;
            EXPECT_EQ(client.send(kStart, 50, &count), "250");
            out.push_back(count);
        }
        return out;
    };
    const std::vector<std::size_t> first = complaints(1);
    EXPECT_EQ(complaints(1), first);
    EXPECT_NE(complaints(2), first);
    std::size_t all = 0;
    for (const std::size_t count : first) all += count;
    EXPECT_NEAR(static_cast<double>(all), 500, 70);
}

TEST(ReputationBook, ForgetsWhoCameLongestAgo)
{
    const SinkProfile profile = profile_of("first-day = 1");
    ReputationBook book{*profile.reputation, 1, 2};
    const ProviderStep mail{.phase = SinkPhase::mail, .sender = "a@s.example"};
    const ProviderStep body{.phase = SinkPhase::body, .sender = "a@s.example", .recipients = 1};
    for (const char* address : {"192.0.2.1", "192.0.2.2", "192.0.2.3"}) {
        EXPECT_EQ(book.standing(address, mail, kStart).answer, nullptr);
        book.note(address, body, {}, kStart);
    }
    EXPECT_EQ(boost::json::parse(book.to_json(kStart)).at("addresses").at("known").to_number<int>(), 2);
    EXPECT_NE(book.standing("192.0.2.3", mail, kStart).answer, nullptr);
    EXPECT_EQ(book.standing("192.0.2.1", mail, kStart).answer, nullptr); // new again
}

} // namespace
} // namespace penguin::bench
