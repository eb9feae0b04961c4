// The bundled profiles over real sockets, our own session as the client: each limit of each profile bites, in its provider's
// words, and lets go when its time is over. The clock is passed in.
#include "tests/bench/visiting.h"

namespace penguin::bench {
namespace {

// ---- one limit at a time, the others lifted, at two of whatever it counts

using Limit = std::optional<ProviderLimit> SinkProfile::*;

constexpr Limit kLimits[] = {&SinkProfile::concurrent_connections, &SinkProfile::connection_rate,
                             &SinkProfile::message_rate,           &SinkProfile::messages_per_connection,
                             &SinkProfile::messages_per_day,       &SinkProfile::recipients_per_transaction};

SinkProfile only(const SinkProfile& profile, Limit limit)
{
    SinkProfile out{.name = profile.name, .seed = profile.seed};
    out.*limit = profile.*limit;
    (out.*limit)->max = 2;
    return out;
}

// What the third gets, and what one gets once `per` is over.
struct Bitten {
    std::string third;
    std::string later;
};

awaitable<void> try_connections(Provider& provider, bool at_once, std::chrono::seconds per, Bitten& out)
{
    std::vector<Visit> open;
    for (int i = 0; i < 3; ++i) {
        open.push_back(co_await visit(provider));
        out.third = open.back().stands() ? "250" : said(open.back().session.error());
        EXPECT_TRUE(i == 2 || open.back().stands());
        if (!at_once && open.back().stands()) co_await (*open.back().session)->quit();
    }
    provider.advance(per);
    if (at_once) co_await (*open.front().session)->quit();
    const Visit after = co_await visit(provider);
    out.later = after.stands() ? "250" : said(after.session.error());
}

awaitable<void> try_messages(Provider& provider, std::chrono::seconds per, Bitten& out)
{
    {
        Visit visitor = co_await visit(provider);
        if (!visitor.stands()) co_return;
        for (int i = 0; i < 3; ++i) {
            out.third = co_await send_one(**visitor.session);
            EXPECT_TRUE(i == 2 || out.third == "250") << out.third;
        }
    }
    provider.advance(per);
    Visit again = co_await visit(provider);
    if (again.stands()) out.later = co_await send_one(**again.session);
}

awaitable<void> try_recipients(Provider& provider, Bitten& out)
{
    Visit visitor = co_await visit(provider);
    if (!visitor.stands()) co_return;
    const std::vector<Outcome> outcomes = co_await send(**visitor.session, numbered(3));
    EXPECT_EQ(said(outcomes[0]), "250");
    EXPECT_EQ(said(outcomes[1]), "250");
    out.third = said(outcomes[2]);
    out.later = co_await send_one(**visitor.session);
}

awaitable<void> try_limit(Provider& provider, Limit limit, std::chrono::seconds per, Bitten& out)
{
    if (limit == &SinkProfile::concurrent_connections || limit == &SinkProfile::connection_rate)
        return try_connections(provider, limit == &SinkProfile::concurrent_connections, per, out);
    if (limit == &SinkProfile::recipients_per_transaction) return try_recipients(provider, out);
    return try_messages(provider, per, out);
}

class ProviderLimits : public testing::TestWithParam<const char*> {};

TEST_P(ProviderLimits, EachBitesInItsWordsAndLetsGo)
{
    const SinkProfile profile = bundled(GetParam());
    std::size_t limits = 0;
    for (const Limit limit : kLimits) {
        if (!(profile.*limit)) continue;
        ++limits;
        Provider provider{only(profile, limit), 2}; // what one thread counted, the other knows
        Bitten bitten;
        play(try_limit(provider, limit, (profile.*limit)->per, bitten));
        const std::string words = words_of((profile.*limit)->answer, "user2@x.example");
        EXPECT_EQ(bitten.third, words);
        EXPECT_EQ(bitten.later, "250") << words;
    }
    EXPECT_GE(limits, 4U);
}

INSTANTIATE_TEST_SUITE_P(Bundled, ProviderLimits,
                         testing::Values("gmail", "outlook", "yahoo", "corporate-gateway", "postfix"),
                         [](const auto& row) {
                             std::string name = row.param;
                             std::erase(name, '-');
                             return name;
                         });

// ---- whole profiles, with their own numbers

TEST(Providers, GmailEndsAConnectionAndThenASource)
{
    Provider gmail{bundled("gmail")};
    play([](Provider& provider) -> awaitable<void> {
        const SinkProfile profile = bundled("gmail");
        for (int connection = 0; connection < 4; ++connection) {
            Visit visitor = co_await visit(provider);
            if (!visitor.stands()) co_return;
            for (int i = 0; i < 50; ++i) EXPECT_EQ(co_await send_one(**visitor.session), "250");
            const std::string last = co_await send_one(**visitor.session);
            EXPECT_EQ(last, words_of(profile.messages_per_connection->answer));
        }
        Visit fifth = co_await visit(provider);
        if (!fifth.stands()) co_return;
        EXPECT_EQ(co_await send_one(**fifth.session), words_of(profile.message_rate->answer));
    }(gmail));
    EXPECT_EQ(gmail.counts().messages, 200U);
    EXPECT_EQ(gmail.counts().profiled[static_cast<std::size_t>(ProviderReason::messages_per_connection)], 4U);
    EXPECT_EQ(gmail.counts().profiled[static_cast<std::size_t>(ProviderReason::message_rate)], 1U);
}

TEST(Providers, GmailTakesNoMailInClear)
{
    Provider gmail{bundled("gmail")};
    play([](Provider& provider) -> awaitable<void> {
        Visit visitor = co_await visit(provider, false);
        if (!visitor.stands()) co_return;
        EXPECT_EQ(co_await send_one(**visitor.session), words_of(*bundled("gmail").tls_required));
    }(gmail));
}

TEST(Providers, OutlookRefusesTheSameUnknownUsersEachTime)
{
    SinkProfile profile = bundled("outlook");
    profile.tarpit.reset(); // it would have us wait
    Provider outlook{profile};
    play([](Provider& provider) -> awaitable<void> {
        const SinkProfile said_by = bundled("outlook");
        std::vector<std::vector<std::string>> rounds;
        for (int i = 0; i < 2; ++i) {
            Visit visitor = co_await visit(provider);
            if (!visitor.stands()) co_return;
            std::vector<std::string> words;
            for (const Outcome& outcome : co_await send(**visitor.session, numbered(200)))
                words.push_back(said(outcome));
            rounds.push_back(std::move(words));
        }
        EXPECT_EQ(rounds[0], rounds[1]);
        EXPECT_GT(std::ranges::count(rounds[0], words_of(said_by.unknown->answer)), 0);
        EXPECT_GT(std::ranges::count(rounds[0], "250"), 180);
    }(outlook));
}

TEST(Providers, TheGatewayGreylistsAndShowsAnExpiredCertificate)
{
    SinkProfile profile = bundled("corporate-gateway");
    profile.faults.clear(); // slow scans
    Provider gateway{profile};
    play([](Provider& provider) -> awaitable<void> {
        const SinkProfile said_by = bundled("corporate-gateway");
        Visit visitor = co_await visit(provider);
        if (!visitor.stands()) co_return;
        EXPECT_TRUE((*visitor.session)->tls());
        const std::string later = words_of(said_by.greylisting->answer, "user0@x.example");
        EXPECT_EQ(co_await send_one(**visitor.session), later);
        provider.advance(said_by.greylisting->delay - 1s);
        EXPECT_EQ(co_await send_one(**visitor.session), later);
        provider.advance(1s);
        EXPECT_EQ(co_await send_one(**visitor.session), "250");
    }(gateway));
}

// ---- what breaks

Outcome opening(SinkProfile profile, bool& encrypted)
{
    Provider provider{std::move(profile)};
    Outcome out;
    play([](Provider& at, Outcome& told, bool& tls) -> awaitable<void> {
        Visit visitor = co_await visit(at);
        if (visitor.stands()) {
            tls = (*visitor.session)->tls();
            co_await (*visitor.session)->quit();
        } else {
            told = visitor.session.error();
        }
    }(provider, out, encrypted));
    return out;
}

TEST(Providers, TlsVariants)
{
    bool encrypted = false;
    opening({.name = "x", .tls = ProviderTls::wrong_name}, encrypted);
    EXPECT_TRUE(encrypted); // opportunistic TLS asks for no name
    encrypted = false;
    opening({.name = "x", .tls = ProviderTls::none}, encrypted);
    EXPECT_FALSE(encrypted);
    EXPECT_EQ(opening({.name = "x", .tls = ProviderTls::old_protocol}, encrypted).phase, smtp::Phase::tls);
    const Outcome stalled = opening({.name = "x", .tls = ProviderTls::stalled}, encrypted);
    EXPECT_EQ(stalled.phase, smtp::Phase::tls);
    ASSERT_TRUE(stalled.error.has_value());
    EXPECT_EQ(stalled.error->code, Errc::timeout);
}

TEST(Providers, AFaultDropsTheConnectionAtItsPhase)
{
    for (const auto& [phase, expected] :
         {std::pair{SinkPhase::data, smtp::Phase::data}, {SinkPhase::body, smtp::Phase::body}}) {
        Provider provider{{.name = "x", .faults = {{.phase = phase, .action = ProviderFault::Action::drop}}}};
        play([](Provider& at, smtp::Phase where) -> awaitable<void> {
            Visit visitor = co_await visit(at);
            if (!visitor.stands()) co_return;
            const std::vector<Outcome> outcomes = co_await send(**visitor.session, {"user0@x.example"});
            EXPECT_EQ(outcomes.front().kind, Outcome::Kind::lost);
            EXPECT_EQ(outcomes.front().phase, where);
        }(provider, expected));
        EXPECT_EQ(provider.counts().profiled[static_cast<std::size_t>(ProviderReason::fault)], 1U);
    }
}

} // namespace
} // namespace penguin::bench
