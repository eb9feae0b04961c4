// The engine between a real Redis, a real name server and sinks: what goes in comes to one end each, whatever happens.
#include "tests/engine/delivery/engine_fixture.h"

namespace penguin::test {
namespace {

using queue::EventKind;

TEST_F(EngineTest, EveryMessageOfSeveralSitesIsDeliveredOnceByReturnPathsOfOurs)
{
    bench::Sink& one = sink(11);
    bench::Sink& two = sink(12);
    start_engine();
    enqueue(1, addresses("one.test.example", 150));
    enqueue(2, addresses("two.test.example", 150));
    ASSERT_TRUE(until([&] { return count(EventKind::delivered) == 300; }));
    EXPECT_EQ(one.counts().messages, 150U);
    EXPECT_EQ(two.counts().messages, 150U);
    EXPECT_GT(one.counts().tls_connections, 0U) << "STARTTLS is used where it is offered";
    engine_->stop(std::chrono::seconds{5});
    const queue::Summary left = producer_.summary();
    EXPECT_EQ(left.ready + left.parked + left.due + left.in_hands, 0U);
    const queue::Event event = events().front();
    EXPECT_EQ(event.source, "127.0.0.2");
    EXPECT_TRUE(event.tls);
    EXPECT_EQ(event.code, 250);
}

TEST_F(EngineTest, ARefusedRecipientBouncesAndADeferredOneIsTriedAgain)
{
    sink(11, {"phase=rcpt code=550 text=\"5.1.1 no such user\" match=r0@one.test.example",
              "phase=rcpt code=450 text=\"4.2.0 later\" match=r1@one.test.example first-attempts-only"});
    start_engine();
    enqueue(1, addresses("one.test.example", 3));
    ASSERT_TRUE(until([&] { return count(EventKind::delivered) == 2; }));
    const queue::Event bounced = only(EventKind::bounced);
    EXPECT_EQ(bounced.recipient, "r0@one.test.example");
    EXPECT_EQ(bounced.klass, "invalid_recipient");
    EXPECT_TRUE(bounced.suppress);
    const queue::Event deferred = only(EventKind::deferred);
    EXPECT_EQ(deferred.recipient, "r1@one.test.example");
    EXPECT_EQ(deferred.enhanced, "4.2.0");
    EXPECT_TRUE(deferred.next);
}

TEST_F(EngineTest, DomainsThatTakeNoMailBounceWithTheirOwnClass)
{
    sink(11);
    start_engine();
    enqueue(1, {"a@none.test.example", "a@nothing.test.example", "a@private.test.example"});
    ASSERT_TRUE(until([&] { return count(EventKind::bounced) == 3; }));
    std::set<std::string> classes;
    for (const queue::Event& event : events()) classes.insert(event.klass);
    EXPECT_EQ(classes, (std::set<std::string>{"null_mx", "no_such_domain", "forbidden_target"}));
}

TEST_F(EngineTest, DomainsThatShareAHostAskForItsAddressOnce)
{
    sink(11);
    start_engine();
    enqueue(1, {"a@one.test.example"});
    ASSERT_TRUE(until([&] { return count(EventKind::delivered) == 1; }));
    enqueue(2, {"a@same.test.example"});
    ASSERT_TRUE(until([&] { return count(EventKind::delivered) == 2; }));
    const auto asked = [&](const char* type, const char* result) {
        return metrics.counter("penguin_dns_lookups_total", "", {{"type", type}, {"result", result}}).value();
    };
    EXPECT_EQ(asked("MX", "found"), 2U);
    EXPECT_EQ(asked("A", "found"), 1U);
    EXPECT_EQ(asked("AAAA", "no_data"), 1U);
}

TEST_F(EngineTest, ANameServerThatRefusesDefersAndNeverBounces)
{
    sink(11);
    start_engine();
    enqueue(1, {"a@elsewhere.example"}); // not a zone of the server: REFUSED
    ASSERT_TRUE(until([&] { return count(EventKind::deferred) >= 1; }));
    EXPECT_EQ(only(EventKind::deferred).klass, "dns_failed");
    EXPECT_EQ(count(EventKind::bounced), 0U);
}

TEST_F(EngineTest, TheNextHostIsTriedWhenTheFirstTakesNoConnection)
{
    sink(11);
    start_engine();
    enqueue(1, addresses("pair.test.example", 20));
    ASSERT_TRUE(until([&] { return count(EventKind::delivered) == 20; }));
    EXPECT_EQ(count(EventKind::deferred), 0U);
}

TEST_F(EngineTest, ADeadSiteCostsOneAttemptAProbeAndDelaysNobodyElse)
{
    sink(11);
    start_engine([](delivery::EngineOptions& options) {
        options.lane_backoff = {.first = std::chrono::seconds{600}, .most = std::chrono::seconds{600}};
        options.retry.ladder = {std::chrono::hours{1}};
    });
    enqueue(1, addresses("gone.test.example", 300));
    ASSERT_TRUE(until([&] { return count(EventKind::deferred) >= 1; }));
    enqueue(2, addresses("one.test.example", 100));
    ASSERT_TRUE(until([&] { return count(EventKind::delivered) == 100; }));
    ASSERT_TRUE(until([&] { return producer_.summary().parked == 299; })) << "the others wait in Redis, untried";
    EXPECT_EQ(count(EventKind::deferred), 1U);
    EXPECT_EQ(only(EventKind::deferred).klass, "connection_failed");
}

TEST_F(EngineTest, ASiteThatComesBackIsFoundByAProbe)
{
    sink(11);
    start_engine();
    enqueue(1, addresses("gone.test.example", 30));
    ASSERT_TRUE(until([&] { return count(EventKind::deferred) >= 1; }));
    sink(19);
    EXPECT_TRUE(until([&] { return count(EventKind::delivered) == 30; }));
}

// Its site stands still: were all of it put aside at once, a node would empty the queue into the place to find mail to others.
TEST_F(EngineTest, ParkingKeepsToItsRate)
{
    constexpr double kBurst = 1'000;
    constexpr double kPerSecond = 2'000;
    constexpr double kClaim = 100; // what the last claim may take beyond it
    sink(11, {"phase=body action=stall"});
    Counter& parked = metrics.counter("penguin_queue_parked_total", "Messages parked at their site.");
    enqueue(1, addresses("one.test.example", 5'000));
    const auto begun = std::chrono::steady_clock::now();
    start_engine();
    const auto parked_enough = [&] {
        const auto so_far = static_cast<double>(parked.value());
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
        EXPECT_LE(so_far, kBurst + kPerSecond * seconds + kClaim);
        return so_far >= 2'500;
    };
    EXPECT_TRUE(until(parked_enough));
}

// Three sources share a site that takes two connections: none of them may keep the others out.
TEST_F(EngineTest, LanesOfOneSiteShareItsConnections)
{
    sink(11);
    for (int host = 3; host <= 4; ++host) {
        delivery::SourceSettings source = settings_.sources.front();
        source.id = SourceId{Uuid::v7(wall_now())};
        source.address = asio::ip::make_address("127.0.0." + std::to_string(host));
        settings_.sources.push_back(std::move(source));
    }
    settings_.limits = {.connections = 2, .site_connections = 2, .idle = std::chrono::seconds{3600}};
    start_engine();
    enqueue(1, addresses("one.test.example", 60), [](queue::Entry& entry) {
        std::array<std::uint8_t, 16> id{};
        id[0] = static_cast<std::uint8_t>(entry.id.index);
        entry.mailbox = MailboxId{Uuid::from_bytes(id)};
    });
    ASSERT_TRUE(until([&] { return count(EventKind::delivered) == 60; })) << told();
    std::set<std::string> sources;
    for (const queue::Event& event : events()) sources.insert(event.source);
    EXPECT_EQ(sources.size(), 3U);
    EXPECT_LE(engine_->status().connections, 2U);
}

// A lane of one connection, to which both tenants' mail is offered before it stands.
TEST_F(EngineTest, TenantsTakeTurnsInALane)
{
    sink(11, {"phase=greeting delay-ms=1000"});
    settings_.tenants.emplace(tenant_of(2), delivery::TenantSettings{});
    for (int host = 3; host <= 11;
         ++host) { // so that a node holds 40 messages of a site although a lane has one connection
        delivery::SourceSettings source = settings_.sources.front();
        source.id = SourceId{Uuid::v7(wall_now())};
        source.address = asio::ip::make_address("127.0.0." + std::to_string(host));
        settings_.sources.push_back(std::move(source));
    }
    settings_.limits.connections = 1;
    const auto of = [](unsigned tenant) {
        return [tenant](queue::Entry& entry) {
            entry.tenant = tenant_of(tenant);
            entry.from.reset(); // the domain is the first tenant's
            entry.mailbox = MailboxId{Uuid::from_bytes(std::array<std::uint8_t, 16>{7})}; // one lane for all
        };
    };
    enqueue(1, addresses("one.test.example", 10), of(1));
    enqueue(2, addresses("one.test.example", 10), of(2));
    start_engine();
    ASSERT_TRUE(until([&] { return count(EventKind::delivered) == 20; })) << told();
    const std::vector<queue::Event> all = events();
    const auto second = std::count_if(all.begin(), all.begin() + 10,
                                      [](const queue::Event& event) { return event.tenant == tenant_of(2); });
    EXPECT_NEAR(static_cast<double>(second), 5, 1) << told();
}

// A site that takes 200 messages/s. Most of the first tenant's mail is in its ready list when the second comes, and is parked
// there at some 2,000/s, so for many seconds: what is claimed of it meanwhile must not fill the site.
TEST_F(EngineTest, AFreshBacklogDoesNotPushInFrontOfWhatIsParked)
{
    constexpr std::size_t kBatchMax = 10'000;
    sink(11, {"phase=body delay-ms=50"});
    settings_.tenants.emplace(tenant_of(2), delivery::TenantSettings{});
    for (unsigned batch = 1; batch <= 2; ++batch) enqueue(batch, addresses("one.test.example", kBatchMax));
    start_engine();
    ASSERT_TRUE(until([&] { return producer_.summary().parked >= 1'000; }));
    enqueue(3, addresses("one.test.example", 40), [](queue::Entry& entry) {
        entry.tenant = tenant_of(2);
        entry.from.reset(); // the domain is the first tenant's
    });
    const auto second_delivered = [&] {
        const std::vector<queue::Event> all = events();
        return std::ranges::count(all, tenant_of(2), &queue::Event::tenant);
    };
    ASSERT_TRUE(until([&] { return second_delivered() == 40; })) << second_delivered();
    EXPECT_GT(producer_.summary().ready, 0U);
}

TEST_F(EngineTest, ASiteFullOfNormalMailHasRoomForHigh)
{
    sink(11, {"phase=body action=stall"});
    start_engine();
    enqueue(1, addresses("one.test.example", 100));
    const auto stands_at = [&](std::size_t in_hands, std::size_t parked) {
        return until([&] {
            const queue::Summary sizes = producer_.summary();
            return sizes.in_hands == in_hands && sizes.parked == parked;
        });
    };
    ASSERT_TRUE(stands_at(40, 60));
    enqueue(2, addresses("one.test.example", 20), [](queue::Entry& entry) { entry.prio = queue::Priority::high; });
    EXPECT_TRUE(stands_at(60, 60));
}

// Takes one connection at 127.0.0.12 and counts the bodies behind whose last octet, in the same write, more came.
class PipelineWatcher {
public:
    PipelineWatcher() : thread_{[this] { serve(); }} {}
    std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
    unsigned followed() const { return followed_; }

private:
    void serve()
    {
        asio::ip::tcp::socket socket = acceptor_.accept();
        socket.set_option(asio::ip::tcp::no_delay{true});
        say(socket, "220 mx\r\n");
        for (std::string line = take(socket, "\r\n"); !line.empty(); line = take(socket, "\r\n")) {
            if (line.starts_with("EHLO")) {
                say(socket, "250-mx\r\n250 PIPELINING\r\n");
            } else if (line.starts_with("DATA")) {
                say(socket, "354 go\r\n");
                if (take(socket, "\r\n.\r\n").empty()) return;
                if (!input_.empty()) ++followed_;
                say(socket, "250 taken\r\n");
            } else {
                say(socket, line.starts_with("QUIT") ? "221 bye\r\n" : "250 ok\r\n");
            }
        }
    }
    // Up to and with `end`; empty when the client left.
    std::string take(asio::ip::tcp::socket& socket, std::string_view end)
    {
        boost::system::error_code error;
        const std::size_t count = asio::read_until(socket, asio::dynamic_buffer(input_), end, error);
        if (error) return {};
        std::string taken = input_.substr(0, count);
        input_.erase(0, count);
        return taken;
    }
    static void say(asio::ip::tcp::socket& socket, std::string_view text)
    {
        boost::system::error_code error;
        asio::write(socket, asio::buffer(text), error);
    }

    asio::io_context io_;
    asio::ip::tcp::acceptor acceptor_{io_, {asio::ip::make_address("127.0.0.12"), 0}};
    std::string input_;
    std::atomic<unsigned> followed_ = 0;
    std::jthread thread_; // ends with the client's connection
};

TEST_F(EngineTest, ABusyConnectionSaysTheNextEnvelopeBehindABody)
{
    PipelineWatcher server;
    port_ = server.port();
    settings_.limits = {.connections = 1, .site_connections = 1};
    enqueue(1, addresses("two.test.example", 40));
    start_engine();
    ASSERT_TRUE(until([&] { return count(EventKind::delivered) == 40; })) << told();
    EXPECT_GT(server.followed(), 0U);
    engine_.reset();
}

TEST_F(EngineTest, ASuppressedRecipientGetsNothing)
{
    bench::Sink& one = sink(11);
    auto suppressions = std::make_shared<delivery::Suppressions>();
    suppressions->add(tenant_of(1), *EmailAddress::parse("r0@one.test.example"));
    settings_.suppressions = suppressions;
    start_engine();
    enqueue(1, addresses("one.test.example", 2));
    ASSERT_TRUE(until([&] { return events().size() == 2; }));
    EXPECT_EQ(only(EventKind::suppressed).recipient, "r0@one.test.example");
    EXPECT_EQ(one.counts().messages, 1U);
}

TEST_F(EngineTest, AMessageWhoseTimeIsOverExpiresUntried)
{
    bench::Sink& one = sink(11);
    start_engine();
    enqueue(1, addresses("one.test.example", 1), [](queue::Entry& entry) { entry.expires = wall_now() - 1min; });
    ASSERT_TRUE(until([&] { return count(EventKind::expired) == 1; }));
    EXPECT_EQ(one.counts().connections, 0U);
}

TEST_F(EngineTest, AMessageWithATimeGoesThenAndNotBefore)
{
    bench::Sink& one = sink(11);
    start_engine();
    const WallTime then = wall_now() + std::chrono::milliseconds{1'500};
    enqueue(1, addresses("one.test.example", 1), [&](queue::Entry& entry) { entry.not_before = then; });
    enqueue(2, addresses("one.test.example", 1));
    ASSERT_TRUE(until([&] { return count(EventKind::delivered) == 2; }));
    EXPECT_EQ(one.counts().messages, 2U);
    for (const queue::Event& event : events())
        if (event.message.batch == batch_of(1)) EXPECT_GE(event.at, from_unix_ms(to_unix_ms(then)));
}

TEST_F(EngineTest, TheLifeOfAScheduledMessageBeginsAtItsTime)
{
    sink(11);
    enqueue(1, addresses("one.test.example", 1), [](queue::Entry& entry) {
        entry.queued = wall_now() - std::chrono::hours{20 * 24};
        entry.not_before = wall_now() - std::chrono::hours{1};
    });
    start_engine();
    ASSERT_TRUE(until([&] { return count(EventKind::delivered) == 1; })) << told();
}

TEST_F(EngineTest, ASuspendedTenantsMailWaits)
{
    bench::Sink& one = sink(11);
    settings_.tenants[tenant_of(1)].suspended = true;
    start_engine();
    enqueue(1, addresses("one.test.example", 5));
    ASSERT_TRUE(until([&] { return metrics.expose().contains("penguin_queue_released_total 5"); }));
    EXPECT_TRUE(until([&] { return producer_.summary().in_hands == 0; }));
    EXPECT_EQ(one.counts().connections, 0U);
    EXPECT_TRUE(events().empty());
}

// It was accepted because control knows the domain; this node's snapshot is older, and has no return path for it.
TEST_F(EngineTest, MailOfADomainThatTheSettingsDoNotHaveYetWaits)
{
    bench::Sink& one = sink(11);
    settings_.domains.clear();
    start_engine();
    enqueue(1, addresses("one.test.example", 5), [](queue::Entry& entry) { entry.queued -= std::chrono::minutes{1}; });
    ASSERT_TRUE(until([&] { return metrics.expose().contains("penguin_queue_released_total 5"); }));
    EXPECT_EQ(one.counts().connections, 0U);
    EXPECT_TRUE(events().empty());
}

TEST_F(EngineTest, WhatWasAcceptedAheadOfTheSettingsGoesOnceTheyCome)
{
    sink(11);
    const auto domains = std::exchange(settings_.domains, {});
    start_engine();
    enqueue(1, addresses("one.test.example", 5));
    ASSERT_TRUE(until([&] { return !metrics.expose().contains("penguin_queue_released_total 0"); }));
    EXPECT_TRUE(events().empty());
    settings_.domains = domains;
    settings_.version = 2;
    engine_->apply(std::make_shared<const delivery::Settings>(settings_));
    EXPECT_TRUE(until([&] { return count(EventKind::delivered) == 5; })) << told();
}

TEST_F(EngineTest, MailInTheNameOfAnotherTenantsDomainWaits)
{
    bench::Sink& one = sink(11);
    settings_.domains.begin()->second.tenant = tenant_of(2);
    start_engine();
    enqueue(1, addresses("one.test.example", 5));
    ASSERT_TRUE(until([&] { return metrics.expose().contains("penguin_queue_released_total 5"); }));
    EXPECT_EQ(one.counts().connections, 0U);
    EXPECT_TRUE(events().empty());
}

TEST_F(EngineTest, MissingContentBouncesAndSaysSo)
{
    sink(11);
    start_engine();
    enqueue(1, addresses("one.test.example", 1), [](queue::Entry& entry) { entry.content = std::string(64, '0'); });
    ASSERT_TRUE(until([&] { return count(EventKind::bounced) == 1; }));
    EXPECT_EQ(only(EventKind::bounced).klass, "content_missing");
}

TEST_F(EngineTest, WhileTheStoreOfContentsIsAwayMailWaitsInRedisAndNoAttemptIsCounted)
{
    sink(11);
    contents_.away = true;
    start_engine([](delivery::EngineOptions& options) { options.store_pause = std::chrono::milliseconds{300}; });
    enqueue(1, addresses("one.test.example", 3));
    const auto waited = [&] {
        constexpr std::string_view kName = "\npenguin_queue_store_away_total ";
        const std::string all = metrics.expose();
        const std::size_t at = all.find(kName); // nowhere before the pool has opened
        return at == std::string::npos ? 0UL : std::stoul(all.substr(at + kName.size()));
    };
    ASSERT_TRUE(until([&] { return waited() >= 6; })) << "each has come back";
    ASSERT_TRUE(until([&] { return producer_.summary().due == 3; })) << "it is not held by the node meanwhile";
    EXPECT_TRUE(events().empty()) << told();
    contents_.away = false;
    ASSERT_TRUE(until([&] { return count(EventKind::delivered) == 3; })) << told();
    for (const queue::Event& event : events()) EXPECT_EQ(event.attempt, 1U);
}

TEST_F(EngineTest, AStopGivesBackWhatIsNotSentAndRepeatsNothing)
{
    bench::Sink& one = sink(11, {"phase=body delay-ms=30 code=250 text=ok"});
    start_engine();
    enqueue(1, addresses("one.test.example", 400));
    ASSERT_TRUE(until([&] { return count(EventKind::delivered) >= 20; }));
    engine_->stop(std::chrono::seconds{10});
    const std::size_t sent = count(EventKind::delivered);
    const queue::Summary left = producer_.summary();
    EXPECT_EQ(left.in_hands, 0U);
    EXPECT_EQ(left.ready + left.parked + left.due, 400 - sent);
    EXPECT_EQ(one.counts().messages, sent);
    start_engine();
    ASSERT_TRUE(until([&] { return count(EventKind::delivered) == 400; }));
    EXPECT_EQ(one.counts().messages, 400U);
}

// The body is out, and its answer longer under way than the stop waits: whoever sends it next repeats it, and that must be known.
TEST_F(EngineTest, AStopAtItsDeadlineTellsThatUnansweredBodiesMayBeDuplicates)
{
    bench::Sink& one = sink(11, {"phase=body delay-ms=15000 code=250 text=ok"});
    start_engine();
    enqueue(1, {"r0@one.test.example", "r1@one.test.example"});
    const auto bodies = [&] { return one.counts().ruled[static_cast<std::size_t>(bench::SinkPhase::body)].load(); };
    ASSERT_TRUE(until([&] { return bodies() == 2; }));
    engine_->stop(std::chrono::seconds{0});
    ASSERT_EQ(count(EventKind::deferred), 2U) << told();
    for (const queue::Event& event : events()) {
        EXPECT_TRUE(event.may_be_duplicate);
        EXPECT_EQ(event.rule, "lost-in-body");
    }
    EXPECT_EQ(producer_.summary().in_hands, 0U);
    EXPECT_EQ(producer_.summary().due, 2U) << "they are tried again";
}

TEST_F(EngineTest, AServerThatDropsAfterTheBodyMayGetItTwiceAndTheEventSaysSo)
{
    sink(11, {"phase=body action=take-and-drop match=r0@one.test.example first-attempts-only"});
    start_engine();
    enqueue(1, addresses("one.test.example", 1));
    ASSERT_TRUE(until([&] { return count(EventKind::delivered) == 1; }));
    EXPECT_TRUE(only(EventKind::deferred).may_be_duplicate);
}

TEST_F(EngineTest, AServerThatRefusesInItsBannerDefers)
{
    sink(11, {"phase=greeting code=554 text=\"no service\""});
    start_engine();
    enqueue(1, addresses("one.test.example", 1));
    ASSERT_TRUE(until([&] { return count(EventKind::deferred) >= 1; }));
    EXPECT_EQ(only(EventKind::deferred).phase, "greeting");
    EXPECT_EQ(count(EventKind::bounced), 0U);
}

TEST_F(EngineTest, HeldItClaimsNothingAndReleasedItSends)
{
    bench::Sink& one = sink(11);
    start_engine();
    engine_->hold(true);
    ASSERT_TRUE(until([&] { return engine_->status().why_not.contains("held"); }));
    enqueue(1, addresses("one.test.example", 10));
    EXPECT_EQ(one.counts().messages, 0U);
    EXPECT_EQ(producer_.summary().ready, 10U);
    engine_->hold(false);
    EXPECT_TRUE(until([&] { return count(EventKind::delivered) == 10; }));
}

} // namespace
} // namespace penguin::test
