// CaresResolver against a scripted name server in this process: what a good server never does.
#include "engine/dns/cares_resolver.h"

#include <array>
#include <map>

#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include "engine/dns/cares_channel.h"
#include "tests/support/dns_packet.h"
#include "tests/support/run.h"

namespace penguin::dns {
namespace {

using namespace std::chrono_literals;
using asio::ip::tcp;
using asio::ip::udp;
using tests::DnsPacket;
using tests::run;
using Bytes = std::vector<std::uint8_t>;

DomainName domain(std::string_view text) { return DomainName::parse(text).value(); }

// Answers each UDP query with the packets that `script` gives, and each TCP query with the first of `tcp_script`'s.
class ScriptedServer {
public:
    using Script = std::function<std::vector<Bytes>(const Bytes& query)>;

    explicit ScriptedServer(asio::io_context& io)
        : tcp_{io, tcp::endpoint{asio::ip::address_v4::loopback(), 0}}, // first: of TCP many ports are in use
          udp_{io, udp::endpoint{asio::ip::address_v4::loopback(), tcp_.local_endpoint().port()}}
    {
        receive();
        asio::co_spawn(io, serve_tcp(), asio::detached);
    }
    std::string address() const { return "127.0.0.1:" + std::to_string(udp_.local_endpoint().port()); }

    Script script = [](const Bytes&) { return std::vector<Bytes>{}; };
    Script tcp_script = script;
    std::vector<Bytes> queries;
    std::size_t tcp_queries = 0;
    std::vector<std::uint16_t> client_ports;

private:
    void receive()
    {
        udp_.async_receive_from(asio::buffer(buffer_), from_, [this](const error_code& code, std::size_t size) {
            if (code) return;
            queries.emplace_back(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(size));
            client_ports.push_back(from_.port());
            for (const Bytes& packet : script(queries.back())) udp_.send_to(asio::buffer(packet), from_);
            receive();
        });
    }
    awaitable<> serve_tcp()
    {
        while (true) {
            auto [failed, socket] = co_await tcp_.async_accept(use_result);
            if (failed) co_return;
            std::array<std::uint8_t, 2> size{};
            const auto [no_size, got] = co_await asio::async_read(socket, asio::buffer(size), use_result);
            if (no_size) continue;
            Bytes query(static_cast<std::size_t>(size[0] << 8 | size[1]));
            const auto [no_query, octets] = co_await asio::async_read(socket, asio::buffer(query), use_result);
            if (no_query) continue;
            ++tcp_queries;
            const auto packets = tcp_script(query);
            if (packets.empty()) continue;
            Bytes answer{static_cast<std::uint8_t>(packets[0].size() >> 8),
                         static_cast<std::uint8_t>(packets[0].size())};
            answer.insert(answer.end(), packets[0].begin(), packets[0].end());
            [[maybe_unused]] const auto [unsent, sent] =
                co_await asio::async_write(socket, asio::buffer(answer), use_result);
        }
    }

    tcp::acceptor tcp_;
    udp::socket udp_;
    udp::endpoint from_;
    std::array<std::uint8_t, 1500> buffer_{};
};

struct CaresResolverTest : testing::Test {
    asio::io_context io;
    Registry metrics;
    ScriptedServer server{io};

    CaresResolver::Options options()
    {
        CaresResolver::Options options;
        options.servers = {server.address()};
        return options;
    }
    CaresResolver::Options impatient()
    {
        CaresResolver::Options quick = options();
        quick.timeout = 50ms;
        quick.tries = 2;
        return quick;
    }
    std::unique_ptr<CaresResolver> open(const CaresResolver::Options& options)
    {
        return CaresResolver::open(io.get_executor(), options, metrics).value();
    }
    void script(const ScriptedServer::Script& answers) { server.script = answers; }
    std::uint64_t counted(const std::string& type, const std::string& result)
    {
        return metrics.counter("penguin_dns_lookups_total", "", {{"type", type}, {"result", result}}).value();
    }
};

TEST_F(CaresResolverTest, AsksForTheAdBitAndBelievesItOnlyWhenTold)
{
    script([](const Bytes& query) {
        return std::vector<Bytes>{
            DnsPacket::answer_to(query).authentic().mx("a.example", 300, 10, "mx.a.example").bytes()};
    });
    const auto plain = run(io, open(options())->mx(domain("a.example")));
    ASSERT_TRUE(plain) << plain.error().detail;
    EXPECT_EQ(plain->records, (std::vector<MxRecord>{{10, "mx.a.example"}}));
    EXPECT_FALSE(plain->authentic);
    ASSERT_EQ(server.queries.size(), 1U);
    EXPECT_EQ(server.queries[0][3] & 0x20, 0x20); // AD
    EXPECT_EQ(server.queries[0][11], 0);          // no OPT record
    auto trusting = options();
    trusting.trust_authentic = true;
    EXPECT_TRUE(run(io, open(trusting)->mx(domain("a.example")))->authentic);
    EXPECT_EQ(counted("MX", "found"), 2U);
}

TEST_F(CaresResolverTest, ServersThatRefuseOrFailAreUnavailable)
{
    for (const std::uint8_t rcode : {1, 2, 4, 5}) {
        script([rcode](const Bytes& query) {
            return std::vector<Bytes>{DnsPacket::answer_to(query).rcode(rcode).bytes()};
        });
        EXPECT_EQ(run(io, open(options())->a(domain("a.example"))).error().code, Errc::unavailable) << int{rcode};
    }
    EXPECT_EQ(counted("A", "unavailable"), 4U);
}

TEST_F(CaresResolverTest, AFailingServerIsPassedOverForTheNext)
{
    ScriptedServer good{io};
    script([](const Bytes& query) { return std::vector<Bytes>{DnsPacket::answer_to(query).rcode(2).bytes()}; });
    good.script = [](const Bytes& query) {
        return std::vector<Bytes>{DnsPacket::answer_to(query).address("a.example", 60, "192.0.2.1").bytes()};
    };
    auto both = options();
    both.servers.push_back(good.address());
    const auto answer = run(io, open(both)->a(domain("a.example")));
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->records.size(), 1U);
}

TEST_F(CaresResolverTest, AServerThatIsNotThereIsUnavailable)
{
    auto nobody = options();
    {
        udp::socket taken{io, udp::endpoint{asio::ip::address_v4::loopback(), 0}};
        nobody.servers = {"127.0.0.1:" + std::to_string(taken.local_endpoint().port())};
    }
    nobody.timeout = 100ms;
    nobody.tries = 1;
    const auto answer = run(io, open(nobody)->a(domain("a.example")));
    ASSERT_FALSE(answer);
    EXPECT_TRUE(answer.error().code == Errc::unavailable || answer.error().code == Errc::timeout);
}

TEST_F(CaresResolverTest, SilenceEndsInATimeout)
{
    const auto resolver = open(impatient());
    EXPECT_EQ(run(io, resolver->mx(domain("a.example"))).error().code, Errc::timeout);
    EXPECT_EQ(server.queries.size(), 2U); // two tries
    EXPECT_EQ(resolver->in_flight(), 0U);
    EXPECT_EQ(counted("MX", "timeout"), 1U);
}

TEST_F(CaresResolverTest, TheDeadlineEndsALookUpBeforeCaresGivesUp)
{
    auto late = options();
    late.timeout = 30s;
    late.deadline = 50ms;
    const auto resolver = open(late);
    EXPECT_EQ(run(io, resolver->mx(domain("a.example"))).error().code, Errc::timeout);
    EXPECT_EQ(resolver->in_flight(), 1U); // c-ares cannot forget one query
}

TEST_F(CaresResolverTest, GarbageIsIgnoredUntilTheRightAnswerComes)
{
    script([](const Bytes& query) {
        const DnsPacket good = DnsPacket::answer_to(query).address("a.example", 60, "192.0.2.1");
        const DnsPacket forged = DnsPacket::answer_to(query).address("a.example", 60, "203.0.113.66");
        DnsPacket other_id = forged;
        other_id.id(static_cast<std::uint16_t>((query[0] << 8 | query[1]) + 1));
        DnsPacket other_name = DnsPacket::answer("b.example", tests::kTypeA).address("b.example", 60, "203.0.113.66");
        other_name.set(0, query[0]).set(1, query[1]);
        return std::vector<Bytes>{{}, {1, 2, 3}, other_id.bytes(), other_name.bytes(), good.bytes()};
    });
    const auto answer = run(io, open(options())->a(domain("a.example")));
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->records.at(0).to_string(), "192.0.2.1");
}

TEST_F(CaresResolverTest, AnAnswerThatMakesNoSenseIsMalformed)
{
    script([](const Bytes& query) {
        return std::vector<Bytes>{DnsPacket::answer_to(query).record("a.example", tests::kTypeMx, 60, {0}).bytes()};
    });
    const auto answer = run(io, open(options())->mx(domain("a.example")));
    EXPECT_EQ(answer.error().code, Errc::malformed);
    EXPECT_EQ(counted("MX", "malformed"), 1U);
}

TEST_F(CaresResolverTest, ATruncatedAnswerIsAskedForAgainByTcp)
{
    script([](const Bytes& query) { return std::vector<Bytes>{DnsPacket::answer_to(query).truncated().bytes()}; });
    server.tcp_script = [](const Bytes& query) {
        DnsPacket packet = DnsPacket::answer_to(query);
        for (int i = 0; i < 100; ++i) packet.txt("t.example", 60, {std::string(200, 'x')});
        return std::vector<Bytes>{packet.bytes()};
    };
    const auto answer = run(io, open(options())->txt(domain("t.example")));
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->records.size(), 100U);
    EXPECT_EQ(server.tcp_queries, 1U);
}

TEST_F(CaresResolverTest, ATcpServerThatHangsUpOrStaysSilentEndsTheLookUp)
{
    script([](const Bytes& query) { return std::vector<Bytes>{DnsPacket::answer_to(query).truncated().bytes()}; });
    const auto answer = run(io, open(impatient())->txt(domain("t.example")));
    ASSERT_FALSE(answer);
    EXPECT_TRUE(answer.error().code == Errc::timeout || answer.error().code == Errc::unavailable);
}

// "n3.example" is an alias for "n4.example"; each answer has one step only.
ScriptedServer::Script chain_of(int length)
{
    return [length](const Bytes& query) {
        const std::string name = DnsPacket::name_in(query);
        const int number = std::stoi(name.substr(1));
        DnsPacket packet = DnsPacket::answer_to(query);
        if (number == length)
            packet.address(name, 60, "192.0.2.1");
        else
            packet.cname(name, 30 + static_cast<std::uint32_t>(number), "n" + std::to_string(number + 1) + ".example");
        return std::vector<Bytes>{packet.bytes()};
    };
}

TEST_F(CaresResolverTest, FollowsAliasesThatTheServerDidNot)
{
    script(chain_of(8));
    const auto answer = run(io, open(options())->a(domain("n0.example")));
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->records.at(0).to_string(), "192.0.2.1");
    EXPECT_EQ(answer->ttl, 30s);
    EXPECT_EQ(server.queries.size(), 9U);
}

TEST_F(CaresResolverTest, EndlessAliasesAndLoopsAreMalformed)
{
    script(chain_of(9));
    EXPECT_EQ(run(io, open(options())->a(domain("n0.example"))).error().code, Errc::malformed);
    EXPECT_LE(server.queries.size(), 9U);
    script([](const Bytes& query) {
        const std::string name = DnsPacket::name_in(query);
        const std::string other = name == "a.example" ? "b.example" : "a.example";
        return std::vector<Bytes>{DnsPacket::answer_to(query).cname(name, 60, other).bytes()};
    });
    EXPECT_EQ(run(io, open(options())->a(domain("a.example"))).error().code, Errc::malformed);
}

TEST_F(CaresResolverTest, AnAliasOfABadNameIsMalformed)
{
    script([](const Bytes& query) {
        return std::vector<Bytes>{DnsPacket::answer_to(query).cname("a.example", 60, "b b.example").bytes()};
    });
    EXPECT_EQ(run(io, open(options())->a(domain("a.example"))).error().code, Errc::malformed);
}

awaitable<Result<Answer<asio::ip::address>>> cancelled_soon(CaresResolver& resolver)
{
    auto work = resolver.a(DomainName::parse("a.example").value());
    auto answer = co_await within(10ms, "look-up", std::move(work));
    co_return answer;
}

TEST_F(CaresResolverTest, ACancelledLookUpReturnsAtOnce)
{
    auto slow = options();
    slow.timeout = 30s;
    slow.deadline = 30s;
    const auto resolver = open(slow);
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(run(io, cancelled_soon(*resolver)).error().code, Errc::timeout);
    EXPECT_LT(std::chrono::steady_clock::now() - start, 20s);
}

struct Line : CaresResolverTest {
    std::map<std::string, std::optional<Errc>> ended; // name -> failure, or nothing when it was answered
    void start(CaresResolver& resolver, const std::string& name)
    {
        asio::co_spawn(io, resolver.a(domain(name)),
                       [this, name](std::exception_ptr, Result<Answer<asio::ip::address>> answer) {
                           ended[name] = answer ? std::nullopt : std::optional{answer.error().code};
                       });
    }
    void run_until(std::size_t count)
    {
        const auto deadline = std::chrono::steady_clock::now() + 20s;
        io.restart();
        while (ended.size() < count && std::chrono::steady_clock::now() < deadline) io.run_one_for(100ms);
        ASSERT_EQ(ended.size(), count);
    }
};

TEST_F(Line, ManyWaitInOrderForFewPlaces)
{
    script([](const Bytes& query) {
        return std::vector<Bytes>{
            DnsPacket::answer_to(query).address(DnsPacket::name_in(query), 60, "192.0.2.1").bytes()};
    });
    auto narrow = options();
    narrow.in_flight_max = 2;
    const auto resolver = open(narrow);
    for (int i = 0; i < 200; ++i) start(*resolver, "n" + std::to_string(i) + ".example");
    run_until(200);
    for (const auto& [name, failure] : ended) EXPECT_EQ(failure, std::nullopt) << name;
    EXPECT_EQ(resolver->in_flight(), 0U);
    EXPECT_EQ(resolver->waiting(), 0U);
    EXPECT_EQ(server.queries.size(), 200U);
}

TEST_F(Line, TheLineIsBoundedAndItsDeadlineHolds)
{
    auto narrow = options();
    narrow.in_flight_max = 1;
    narrow.waiting_max = 2;
    narrow.timeout = 30s;
    narrow.deadline = 200ms;
    const auto resolver = open(narrow);
    for (const char* name : {"first.example", "second.example", "third.example", "fourth.example"})
        start(*resolver, name);
    run_until(1);
    EXPECT_EQ(ended["fourth.example"], Errc::full);
    EXPECT_EQ(resolver->waiting(), 2U);
    run_until(4);
    EXPECT_EQ(ended["second.example"], Errc::timeout);
    EXPECT_EQ(resolver->waiting(), 0U); // who has left does not hold a place
}

TEST_F(Line, AResolverThatDiesTellsEverybody)
{
    auto narrow = options();
    narrow.in_flight_max = 1;
    auto resolver = open(narrow);
    start(*resolver, "flying.example");
    start(*resolver, "waiting.example");
    while (resolver->waiting() == 0) io.run_one();
    resolver.reset();
    run_until(2);
    EXPECT_EQ(ended["flying.example"], Errc::cancelled);
    EXPECT_EQ(ended["waiting.example"], Errc::cancelled);
}

TEST_F(Line, IdsOfQueriesInFlightAreDifferent)
{
    auto wide = options();
    wide.deadline = 1s;
    wide.timeout = 30s;
    const auto resolver = open(wide);
    for (int i = 0; i < 300; ++i) start(*resolver, "n" + std::to_string(i) + ".example");
    run_until(300);
    std::set<int> ids;
    for (const Bytes& query : server.queries) ids.insert(query[0] << 8 | query[1]);
    EXPECT_EQ(ids.size(), server.queries.size());
    EXPECT_GT(ids.size(), 200U); // the kernel may drop some of a burst
}

TEST(ServerAddress, IsAnAddressWithOrWithoutAPort)
{
    const auto text = [](std::string_view given) {
        const auto server = ServerAddress::parse(given);
        return server ? server->address.to_string() + " " + std::to_string(server->port) : "bad";
    };
    EXPECT_EQ(text("127.0.0.1:5533"), "127.0.0.1 5533");
    EXPECT_EQ(text("127.0.0.1"), "127.0.0.1 53");
    EXPECT_EQ(text("[::1]:54"), "::1 54");
    EXPECT_EQ(text("[::1]"), "::1 53");
    EXPECT_EQ(text("2001:db8::1"), "2001:db8::1 53");
    for (const char* bad : {"", "localhost", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:5a", "[::1",
                            "[::1]:", "[::1]x", "[127.0.0.1]:", ":53"})
        EXPECT_EQ(text(bad), "bad") << bad;
}

TEST_F(CaresResolverTest, BadOptionsAreRefused)
{
    const auto code = [&](auto change) {
        CaresResolver::Options wrong = options();
        change(wrong);
        const auto opened = CaresResolver::open(io.get_executor(), wrong, metrics);
        return opened ? std::optional<Errc>{} : std::optional{opened.error().code};
    };
    EXPECT_EQ(code([](auto& wrong) { wrong.servers = {"resolver.example"}; }), Errc::bad_value);
    EXPECT_EQ(code([](auto& wrong) { wrong.in_flight_max = 0; }), Errc::bad_value);
    EXPECT_EQ(code([](auto& wrong) { wrong.in_flight_max = 60'000; }), Errc::bad_value);
    EXPECT_EQ(code([](auto& wrong) { wrong.tries = 0; }), Errc::bad_value);
    EXPECT_EQ(code([](auto& wrong) { wrong.timeout = 0ms; }), Errc::bad_value);
    EXPECT_EQ(code([](auto& wrong) { wrong.deadline = 0ms; }), Errc::bad_value);
    EXPECT_EQ(code([](auto& wrong) { wrong.servers.clear(); }), std::nullopt); // those of the system
}

} // namespace
} // namespace penguin::dns
