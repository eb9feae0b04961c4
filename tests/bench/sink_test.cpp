// The sink as a server, and our own session as its client: both over real sockets.
#include "bench/sink/sink.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "engine/delivery/session.h"
#include "tests/engine/net/loopback.h"

namespace penguin::bench {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

const asio::ip::tcp::endpoint kAnyPort{asio::ip::make_address("127.0.0.1"), 0};

class Folder {
public:
    Folder()
    {
        std::string name = (fs::temp_directory_path() / "sink_test.XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    ~Folder() { fs::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    fs::path operator/(const char* name) const { return path_ / name; }

private:
    fs::path path_;
};

std::string content_of(const fs::path& path)
{
    std::ifstream file{path};
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

std::vector<boost::json::object> json_lines(const fs::path& path)
{
    std::vector<boost::json::object> out;
    std::stringstream lines{content_of(path)};
    for (std::string line; std::getline(lines, line);) out.push_back(boost::json::parse(line).as_object());
    return out;
}

std::unique_ptr<Sink> sink_with(std::initializer_list<const char*> rules, SinkOptions options = {})
{
    options.listen = {kAnyPort};
    for (const char* rule : rules) options.rules.push_back(SinkRule::parse(rule).value());
    return Sink::start(options).value();
}

// What our session hears from the sink for one message: the code of each recipient, or 0 when the connection was lost;
// one line a message, all over one session while it lasts.
std::vector<std::string> deliver(const Sink& sink, std::vector<std::string> recipients, std::size_t messages = 1,
                                 bool tls = true, const std::string& text = "Message-ID: <1@s.example>\r\n\r\n.hi\r\n")
{
    std::vector<std::string> out;
    asio::io_context io{1};
    net::run_to_end(io, [&]() -> awaitable<void> {
        net::TlsClient client;
        delivery::SessionOptions options{.starttls = tls, .tls = &client};
        options.timeouts.final_dot = 2s;
        delivery::Endpoint endpoint{asio::ip::address{}, sink.listening().front(), *DomainName::parse("mx.example"),
                                    *DomainName::parse("out.example")};
        auto session = co_await delivery::Session::open(std::move(endpoint), options, [] { return true; });
        if (!session) {
            out.push_back("open " + std::to_string(session.error().reply ? session.error().reply->code : 0));
            co_return;
        }
        EXPECT_EQ((*session)->tls(), tls);
        Envelope envelope{EmailAddress::parse("from@s.example").value(), {}};
        for (const std::string& recipient : recipients)
            envelope.recipients.push_back(EmailAddress::parse(recipient).value());
        for (std::size_t i = 0; i < messages; ++i) {
            const delivery::Report report =
                co_await (*session)->deliver(std::make_shared<const delivery::Mail>(envelope, text));
            std::string line;
            for (const smtp::Outcome& outcome : report.outcomes)
                line += (line.empty() ? "" : " ") + std::to_string(outcome.reply ? outcome.reply->code : 0);
            out.push_back(line);
        }
        co_await (*session)->quit();
    }());
    return out;
}

TEST(Sink, TakesAndCounts)
{
    const auto sink = sink_with({}, {.threads = 2});
    EXPECT_EQ(deliver(*sink, {"a@x.example", "b@x.example"}, 3), (std::vector<std::string>(3, "250 250")));
    EXPECT_EQ(deliver(*sink, {"a@x.example"}, 1, false), (std::vector<std::string>{"250"}));
    EXPECT_EQ(sink->counts().messages, 4U);
    EXPECT_EQ(sink->counts().recipients, 7U);
    EXPECT_EQ(sink->counts().tls_connections, 1U);
    EXPECT_EQ(sink->counts().connections, 2U);
    const boost::json::object json = boost::json::parse(sink->counts().to_json(5ms)).as_object();
    EXPECT_EQ(json.at("messages").as_int64(), 4);
    EXPECT_EQ(json.at("milliseconds").as_int64(), 5);
}

TEST(Sink, LogsEachRecipientBeforeItSaysYes)
{
    const Folder folder;
    const auto sink = sink_with({"phase=rcpt code=550 match=no@x.example"}, {.record = {.log = folder / "log"}});
    EXPECT_EQ(deliver(*sink, {"a@x.example", "no@x.example", "b@x.example"}),
              (std::vector<std::string>{"250 550 250"}));
    const auto lines = json_lines(folder / "log"); // the sink still runs: nothing waits in a buffer
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[0].at("rcpt").as_string(), "a@x.example");
    EXPECT_EQ(lines[1].at("rcpt").as_string(), "b@x.example");
    EXPECT_EQ(lines[0].at("mail_from").as_string(), "from@s.example");
    EXPECT_EQ(lines[0].at("message_id").as_string(), "<1@s.example>");
    EXPECT_EQ(lines[0].at("helo").as_string(), "out.example");
    EXPECT_EQ(lines[0].at("size").as_int64(), 34);
    EXPECT_TRUE(lines[0].at("tls").as_bool());
    EXPECT_EQ(lines[0].at("result").as_string(), "accepted");
    EXPECT_EQ(lines[0].at("listener").as_string(), "127.0.0.1:" + std::to_string(sink->listening().front().port()));
    EXPECT_GT(lines[0].at("time_ms").as_int64(), 1'700'000'000'000);
}

TEST(Sink, KeepsMessagesAsTheyCame)
{
    const Folder folder;
    const auto sink = sink_with({}, {.record = {.keep = folder / "keep"}});
    const std::string text = "Subject: x\r\n\r\n.dot\r\n..\r\nend\r\n";
    EXPECT_EQ(deliver(*sink, {"a@x.example", "b@x.example"}, 2, true, text), (std::vector<std::string>(2, "250 250")));
    std::size_t messages = 0;
    for (const fs::directory_entry& entry : fs::directory_iterator{folder / "keep"}) {
        if (entry.path().extension() != ".eml") continue;
        ++messages;
        EXPECT_EQ(content_of(entry.path()), text);
        fs::path beside = entry.path();
        const boost::json::object json = boost::json::parse(content_of(beside.replace_extension(".json"))).as_object();
        EXPECT_EQ(json.at("rcpt").as_array().size(), 2U);
        EXPECT_EQ(json.at("file").as_string(), entry.path().filename().string());
    }
    EXPECT_EQ(messages, 2U);
}

TEST(Sink, TakesChunks)
{
    const Folder folder;
    const auto sink = sink_with({}, {.record = {.log = folder / "log"}});
    asio::io_context io{1};
    net::run_to_end(io, [&]() -> awaitable<void> {
        const auto executor = co_await asio::this_coro::executor;
        net::TcpStream stream{asio::ip::tcp::socket{executor, asio::ip::tcp::v4()}};
        const Result<> connected = co_await stream.connect(sink->listening().front(), net::soon());
        EXPECT_TRUE(connected.has_value());
        const std::string greeting = co_await net::read_text(stream, 4);
        EXPECT_TRUE(greeting.starts_with("220 ")) << greeting;
        co_await net::write_text(stream, "EHLO c\r\n");
        std::string heard;
        while (!heard.contains("250 HELP")) heard += co_await net::read_text(stream, 1);
        EXPECT_TRUE(heard.contains("CHUNKING"));
        co_await net::write_text(stream,
                                 "MAIL FROM:<>\r\nRCPT TO:<a@x.example>\r\nBDAT 23\r\nMessage-ID: <chunks>\r\n\r"
                                 "BDAT 4 LAST\r\n\n.\r\nQUIT\r\n");
        heard.clear();
        while (!heard.contains("221")) heard += co_await net::read_text(stream, 1);
    }());
    const auto lines = json_lines(folder / "log");
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(lines[0].at("message_id").as_string(), "<chunks>");
    EXPECT_EQ(lines[0].at("size").as_int64(), 27); // nothing is unstuffed
}

TEST(Sink, MisbehavesByItsRules)
{
    const std::vector<std::string> one{"a@x.example"};
    using Lines = std::vector<std::string>;
    EXPECT_EQ(deliver(*sink_with({"phase=greeting code=421 text=\"busy\""}), one), Lines{"open 421"});
    EXPECT_EQ(deliver(*sink_with({"phase=greeting action=drop"}), one), Lines{"open 0"});
    EXPECT_EQ(deliver(*sink_with({"phase=ehlo code=450"}), one), Lines{"open 450"});
    EXPECT_EQ(deliver(*sink_with({"phase=starttls action=drop"}), one), Lines{"open 0"});
    EXPECT_EQ(deliver(*sink_with({"phase=mail code=451"}), one, 2), (Lines{"451", "451"}));
    EXPECT_EQ(deliver(*sink_with({"phase=rcpt code=450 first-attempts-only"}), one, 2), (Lines{"450", "250"}));
    EXPECT_EQ(deliver(*sink_with({"phase=data code=554"}), one), Lines{"554"});
    EXPECT_EQ(deliver(*sink_with({"phase=data action=drop"}), one), Lines{"0"});
    EXPECT_EQ(deliver(*sink_with({"phase=body code=552"}), one), Lines{"552"});
    EXPECT_EQ(deliver(*sink_with({"phase=body delay-ms=5"}), one), Lines{"250"});
    const auto dropping = sink_with({"phase=body action=drop"});
    EXPECT_EQ(deliver(*dropping, one), Lines{"0"});
    EXPECT_EQ(dropping->counts().messages, 0U);
    const auto taking = sink_with({"phase=body action=take-and-drop"});
    EXPECT_EQ(deliver(*taking, one), Lines{"0"});
    EXPECT_EQ(taking->counts().messages, 1U);
    EXPECT_EQ(taking->counts().ruled[static_cast<std::size_t>(SinkPhase::body)], 1U);
    EXPECT_EQ(deliver(*sink_with({"phase=body action=stall"}), one), Lines{"0"});
}

TEST(Sink, ARefusedStartTlsLeavesTheConnectionInClear)
{
    EXPECT_EQ(deliver(*sink_with({"phase=starttls code=454"}, {.tls = true}), {"a@x.example"}, 1, false),
              (std::vector<std::string>{"250"}));
    EXPECT_EQ(deliver(*sink_with({}, {.tls = false}), {"a@x.example"}, 1, false), (std::vector<std::string>{"250"}));
}

TEST(Sink, BoundsItsConnections)
{
    const auto sink = sink_with({}, {.connections_max = 0});
    EXPECT_EQ(deliver(*sink, {"a@x.example"}), (std::vector<std::string>{"open 421"}));
    EXPECT_EQ(sink->counts().turned_away, 1U);
}

TEST(Sink, DoesNotSayYesToWhatItCannotKeep)
{
    const Folder folder;
    const auto sink = sink_with({}, {.record = {.keep = folder / "keep"}});
    fs::remove_all(folder / "keep");
    EXPECT_EQ(deliver(*sink, {"a@x.example"}), (std::vector<std::string>{"451"}));
    EXPECT_EQ(sink->counts().messages, 0U);
}

TEST(Sink, SaysWhyItCannotStart)
{
    const Folder folder;
    SinkOptions nowhere{.listen = {{asio::ip::make_address("192.0.2.1"), 0}}};
    EXPECT_EQ(Sink::start(nowhere).error().code, Errc::bad_value);
    SinkOptions no_log{.listen = {kAnyPort}, .record = {.log = folder / "none/log"}};
    EXPECT_EQ(Sink::start(no_log).error().code, Errc::local_fault);
}

TEST(MessageId, IsFoundInTheHeaderOnly)
{
    EXPECT_EQ(message_id_of("Subject: x\r\nMESSAGE-ID:  <a@b> \r\n\r\n"), "<a@b>");
    EXPECT_EQ(message_id_of("Message-ID:\r\n <a@b>\r\n\r\n"), "<a@b>");
    EXPECT_EQ(message_id_of("Subject: x\r\n\r\nMessage-ID: <a@b>\r\n"), "");
    EXPECT_EQ(message_id_of("Message-ID: <a@b>"), "<a@b>");
    EXPECT_EQ(message_id_of(""), "");
    EXPECT_EQ(message_id_of("Message-ID:"), "");
}

} // namespace
} // namespace penguin::bench
