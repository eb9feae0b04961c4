// The server over loopback: what HTTP says, and who may call what.
#include "control/http/server.h"

#include <unistd.h>

#include <filesystem>
#include <future>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "client.h"

namespace penguin::control::http::test {
namespace {

std::string request(std::string_view line, std::string_view fields = "", std::string_view body = "")
{
    std::string text = std::string{line} + " HTTP/1.1\r\nHost: t\r\n" + std::string{fields};
    if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    return text + "\r\n" + std::string{body};
}

std::string code_of(const std::string& response)
{
    return boost::json::parse(body_of(response)).at("code").as_string().c_str();
}

class ServerTest : public testing::Test {
protected:
    ServerTest()
    {
        const auto add = [&](Method method, const char* pattern, Audience audience, const char* scope, BodyKind body) {
            running_.router.add(Route{.method = method,
                                      .pattern = pattern,
                                      .audience = audience,
                                      .scope = scope,
                                      .body = body,
                                      .body_max = body == BodyKind::json ? kBodyMax : kIgnoredBodyMax,
                                      .handler = [this](const Request& asked) { return echo(asked); }});
        };
        add(Method::get, "/open", Audience::anyone, "", BodyKind::none);
        add(Method::post, "/open", Audience::anyone, "", BodyKind::json);
        add(Method::get, "/things/{thing}", Audience::tenant, "domains:read", BodyKind::none);
        add(Method::post, "/things", Audience::tenant, "domains:write", BodyKind::json);
        add(Method::del, "/things/{thing}", Audience::tenant, "domains:write", BodyKind::none);
        add(Method::get, "/tenants", Audience::platform, "tenants:read", BodyKind::none);
        add(Method::get, "/fails", Audience::anyone, "", BodyKind::none);
        add(Method::get, "/throws", Audience::anyone, "", BodyKind::none);
        add(Method::get, "/injects", Audience::anyone, "", BodyKind::none);
        running_.start();
    }

    awaitable<Answer> echo(const Request& asked)
    {
        ++running_.handled;
        const auto path = asked.header("X-Do").value_or("");
        if (path == "fail") co_return std::unexpected{Problem{.code = Code::conflict, .detail = "no"}};
        if (path == "throw") throw std::runtime_error{"secret of the house"};
        if (path == "inject") co_return Response{.headers = {{"X-A", "1\r\nX-B: 2"}, {"X-C", "3"}}};
        boost::json::object body{{"method", name_of(asked.method)}, {"body", asked.body}};
        for (const auto& [name, value] : asked.params) body[name] = value;
        if (asked.principal) body["subject"] = asked.principal->subject;
        co_return Response{.body = boost::json::serialize(body)};
    }

    std::string ask(const std::string& octets)
    {
        Client client{running_.port};
        client.say(octets);
        return client.hear_one(!octets.starts_with("HEAD"));
    }

    Running running_;
};

TEST_F(ServerTest, AnswersWithTheFieldsThatEveryAnswerHas)
{
    const std::string response = ask(request("GET /open"));
    EXPECT_EQ(status_of(response), 200U);
    EXPECT_EQ(field_of(response, "Content-Type"), "application/json");
    EXPECT_EQ(field_of(response, "Cache-Control"), "no-store");
    EXPECT_EQ(field_of(response, "X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(field_of(response, "Connection"), "keep-alive");
    EXPECT_EQ(field_of(response, "X-Request-Id").size(), 36U);
    EXPECT_TRUE(field_of(response, "Date").ends_with(" GMT"));
}

TEST_F(ServerTest, KeepsTheConnectionAndAnswersPipelinedRequestsInOrder)
{
    Client client{running_.port};
    client.say(request("GET /things/1", "Authorization: Bearer tenant\r\n") +
               request("POST /open", "Content-Type: application/json\r\n", "{}") + request("GET /nowhere") +
               request("GET /things/2", "Authorization: Bearer tenant\r\n"));
    EXPECT_NE(body_of(client.hear_one()).find(R"("thing":"1")"), std::string::npos);
    EXPECT_NE(body_of(client.hear_one()).find(R"("body":"{}")"), std::string::npos);
    EXPECT_EQ(status_of(client.hear_one()), 404U);
    EXPECT_NE(body_of(client.hear_one()).find(R"("thing":"2")"), std::string::npos);
}

TEST_F(ServerTest, TakesARequestInWhateverPiecesItComes)
{
    Client client{running_.port};
    for (const char octet : request("POST /open", "Content-Type: application/json\r\n", R"({"a": 1})"))
        client.say(std::string_view{&octet, 1});
    EXPECT_NE(body_of(client.hear_one()).find(R"({\"a\": 1})"), std::string::npos);
}

TEST_F(ServerTest, TakesAChunkedBody)
{
    const std::string response = ask("POST /open HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\n"
                                     "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n");
    EXPECT_NE(body_of(response).find(R"("body":"{}")"), std::string::npos);
}

TEST_F(ServerTest, ClosesWhenAskedToAndForHttp10)
{
    Client client{running_.port};
    client.say(request("GET /open", "Connection: close\r\n"));
    EXPECT_EQ(field_of(client.hear_all(), "Connection"), "close");
    Client old{running_.port};
    old.say("GET /open HTTP/1.0\r\n\r\n");
    EXPECT_EQ(status_of(old.hear_all()), 200U);
}

TEST_F(ServerTest, AnswersHeadWithoutABody)
{
    Client client{running_.port};
    client.say(request("HEAD /open") + request("GET /open"));
    const std::string head = client.hear_one(false);
    EXPECT_EQ(status_of(head), 200U);
    EXPECT_NE(field_of(head, "Content-Length"), "0");
    EXPECT_EQ(status_of(client.hear_one()), 200U) << "nothing stood between the two";
}

TEST_F(ServerTest, AnswersOptionsWithoutACredential)
{
    const std::string one = ask(request("OPTIONS /things/7"));
    EXPECT_EQ(status_of(one), 204U);
    EXPECT_EQ(field_of(one, "Allow"), "GET, HEAD, DELETE, OPTIONS");
    EXPECT_EQ(status_of(ask(request("OPTIONS *"))), 204U);
    EXPECT_EQ(status_of(ask(request("OPTIONS /nowhere"))), 404U);
}

TEST_F(ServerTest, NamesTheMethodsOfAPathWithAnother)
{
    for (const char* line : {"PUT /things/7", "PATCH /things/7", "BREW /things/7"}) {
        const std::string response = ask(request(line));
        EXPECT_EQ(status_of(response), 405U) << line;
        EXPECT_EQ(field_of(response, "Allow"), "GET, HEAD, DELETE, OPTIONS");
        EXPECT_EQ(code_of(response), "method_not_allowed");
    }
}

TEST_F(ServerTest, SaysContinueOnlyWhenTheBodyIsWelcome)
{
    Client client{running_.port};
    client.say("POST /open HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
               "Content-Length: 2\r\n\r\n");
    EXPECT_EQ(client.hear_one(), "HTTP/1.1 100 Continue\r\n\r\n");
    client.say("{}");
    EXPECT_EQ(status_of(client.hear_one()), 200U);
    Client unwelcome{running_.port};
    unwelcome.say("POST /things HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
                  "Content-Length: 2\r\n\r\n");
    EXPECT_EQ(status_of(unwelcome.hear_one()), 401U);
    EXPECT_EQ(status_of(ask(request("POST /open", "Content-Type: application/json\r\nExpect: tea\r\n", "{}"))), 417U);
}

struct Door {
    const char* line;
    const char* credential; // "" is none
    unsigned status;
    const char* code;
};

constexpr Door kDoors[] = {
    {"GET /things/7", "", 401, "unauthenticated"},
    {"GET /things/7", "Bearer nobody", 401, "unauthenticated"},
    {"GET /things/7", "Bearer tenant", 200, ""},
    {"GET /things/7", "Bearer poor", 403, "insufficient_scope"},
    {"GET /things/7", "Bearer platform", 403, "tenant_required"},
    {"GET /things/7", "Bearer away", 503, "unavailable"},
    {"GET /things/7", "Bearer throttled", 429, "too_many_attempts"},
    {"GET /tenants", "Bearer tenant", 403, "platform_required"},
    {"GET /tenants", "Bearer platform", 200, ""},
    {"GET /open", "", 200, ""},
    {"GET /open", "Bearer nobody", 200, ""},
    {"GET /nowhere", "", 404, "not_found"},
};

TEST_F(ServerTest, LetsIn)
{
    for (const Door& door : kDoors) {
        const std::string credential =
            *door.credential ? "Authorization: " + std::string{door.credential} + "\r\n" : "";
        const std::string response = ask(request(door.line, credential));
        EXPECT_EQ(status_of(response), door.status) << door.line << " " << door.credential;
        if (*door.code) {
            EXPECT_EQ(code_of(response), door.code) << door.line << " " << door.credential;
        }
        EXPECT_EQ(response.find("10.0.0.1"), std::string::npos);
        EXPECT_EQ(field_of(response, "WWW-Authenticate").empty(), door.status != 401);
        const std::string wait = door.status == 429 ? "60" : door.status == 503 ? "5" : "";
        EXPECT_EQ(field_of(response, "Retry-After"), wait) << door.credential;
    }
}

// For the audit log: a credential that was proved and may not make the call.
TEST_F(ServerTest, TellsOfDeniedRequestsByTheirPattern)
{
    std::size_t denied = 0;
    for (const Door& door : kDoors) {
        const std::string credential =
            *door.credential ? "Authorization: " + std::string{door.credential} + "\r\n" : "";
        ask(request(door.line, credential));
        denied += door.status == 403 ? 1 : 0;
    }
    ASSERT_GT(denied, 2U);
    running_.on_thread([&] {
        ASSERT_EQ(running_.events.told.size(), denied);
        for (const audit::SecurityEvent& event : running_.events.told) {
            EXPECT_EQ(event.kind.action, audit::SecurityAction::request_denied);
            EXPECT_EQ(event.kind.peer, "127.0.0.1");
            EXPECT_FALSE(event.kind.actor.empty());
            EXPECT_EQ(event.request_id.size(), 36U);
            EXPECT_NE(event.kind.route.find(' '), std::string::npos);
        }
    });
}

TEST_F(ServerTest, TakesJsonAndNothingElse)
{
    for (const char* type : {"application/json", "application/json; charset=utf-8", "Application/JSON ;x=y"})
        EXPECT_EQ(status_of(ask(request("POST /open", "Content-Type: " + std::string{type} + "\r\n", "{}"))), 200U)
            << type;
    for (const char* type : {"text/plain", "application/jsonp", "application/x-www-form-urlencoded", ""})
        EXPECT_EQ(status_of(ask(request("POST /open", "Content-Type: " + std::string{type} + "\r\n", "{}"))), 415U)
            << type;
    EXPECT_EQ(status_of(ask(request("POST /open", "", "{}"))), 415U);
    EXPECT_EQ(
        status_of(ask(request("POST /open", "Content-Type: application/json\r\nContent-Encoding: gzip\r\n", "{}"))),
        415U);
}

TEST_F(ServerTest, TurnsAFaultOfAHandlerIntoAnAnswer)
{
    EXPECT_EQ(code_of(ask(request("GET /fails", "X-Do: fail\r\n"))), "conflict");
    const std::string thrown = ask(request("GET /throws", "X-Do: throw\r\n"));
    EXPECT_EQ(status_of(thrown), 500U);
    EXPECT_EQ(thrown.find("secret"), std::string::npos);
}

TEST_F(ServerTest, NeverSendsAFieldThatWouldBeTwo)
{
    const std::string response = ask(request("GET /injects", "X-Do: inject\r\n"));
    EXPECT_EQ(response.find("X-B"), std::string::npos);
    EXPECT_EQ(field_of(response, "X-C"), "3");
}

// RFC 9112 6.3, 11.2: a proxy before us and we must see the same end of the message. Each is refused and the connection closed.
TEST_F(ServerTest, RefusesWhatCouldSmuggleARequest)
{
    const std::string json = "Host: t\r\nContent-Type: application/json\r\n";
    const std::string tail = "0\r\n\r\nGET /open HTTP/1.1\r\nHost: t\r\n\r\n";
    const std::string forms[] = {
        "POST /open HTTP/1.1\r\n" + json + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + tail,
        "POST /open HTTP/1.1\r\n" + json + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n" + tail,
        "POST /open HTTP/1.1\r\n" + json + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n" + tail,
        "POST /open HTTP/1.1\r\n" + json + "Content-Length: +5\r\n\r\n" + tail,
        "POST /open HTTP/1.1\r\n" + json + "Content-Length: 5, 6\r\n\r\n" + tail,
        "POST /open HTTP/1.1\r\n" + json + "Content-Length: -1\r\n\r\n" + tail,
        "POST /open HTTP/1.1\r\n" + json + "Content-Length: 99999999999999999999999\r\n\r\n" + tail,
        "POST /open HTTP/1.1\r\n" + json + "Transfer-Encoding: xchunked\r\n\r\n" + tail,
        "POST /open HTTP/1.1\r\n" + json + "Transfer-Encoding: chunked, identity\r\n\r\n" + tail,
        "POST /open HTTP/1.1\r\n" + json + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + tail,
        "POST /open HTTP/1.1\r\n" + json + "Transfer-Encoding : chunked\r\n\r\n" + tail,
        "POST /open HTTP/1.0\r\n" + json + "Transfer-Encoding: chunked\r\n\r\n" + tail,
        "POST /open HTTP/1.1\r\n" + json + "Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n" + tail,
        "GET /open HTTP/1.1\r\nHost: t\r\nHost: u\r\n\r\n",
        "GET /open HTTP/1.1\r\n\r\n",
        "POST /open HTTP/1.1\r\n" + json + "Content-Length: 5\r\nContent-Length: 5\r\n\r\n" + tail,
        "POST /open HTTP/1.1\r\n" + json + "Content-Length: 5, 5\r\n\r\n" + tail,
        "POST /open HTTP/1.1\r\n" + json + "Content-Length : 5\r\n\r\n" + tail,
        "POST /open HTTP/1.1\r\n" + json + "Content-Length: 0x5\r\n\r\n" + tail,
        "POST /open HTTP/1.1\r\n" + json + "Content-Length:\r\n\r\n" + tail,
        "POST /open HTTP/1.1\r\n" + json + "Transfer-Encoding:\r\n chunked\r\n\r\n" + tail,
        "POST /open HTTP/1.1\r\n" + json + "Transfer-Encoding: \x0b" + "chunked\r\n\r\n" + tail,
        "POST /open HTTP/1.1\r\n" + json + "Transfer-Encoding: \"chunked\"\r\n\r\n" + tail,
        "POST /open HTTP/1.1\r\n" + json + "X: y\nTransfer-Encoding: chunked\r\n\r\n" + tail,
        "POST /open HTTP/1.1\r\n" + json + "X: y\rTransfer-Encoding: chunked\r\n\r\n" + tail,
        "GET /open HTTP/1.1\r\nX: a\r\n\tb\r\nHost: t\r\n\r\n",
        "GET /open HTTP/1.1\nHost: t\n\n",
        "GET /open HTTP/1.1\r\nHost: t\r\n X: folded first\r\nBad Name: 1\r\n\r\n",
        "GET  /open HTTP/1.1\r\nHost: t\r\n\r\n",
        "GET /open HTTP/2.0\r\nHost: t\r\n\r\n",
        "GET /op\x01n HTTP/1.1\r\nHost: t\r\n\r\n",
        std::string("GET /open HTTP/1.1\r\nHost: t\r\nX: a\0b\r\n\r\n", 39),
        "\x16\x03\x01\x02\x01\x01\x03\x03 hello of TLS in clear\r\n\r\n",
    };
    for (const std::string& form : forms) {
        const std::size_t before = running_.handled;
        SCOPED_TRACE(form);
        Client client{running_.port};
        client.say(form);
        const std::string heard = client.hear_all(); // ends: the connection is closed
        EXPECT_GE(status_of(heard), 400U) << form;
        EXPECT_EQ(heard.find("\r\nDate: "), heard.rfind("\r\nDate: ")) << "a second answer to " << form;
        EXPECT_EQ(running_.handled, before) << form;
    }
}

// The same answer whether something comes behind the empty line or not: who waits for it must not wait until the deadline.
TEST_F(ServerTest, RefusesAShortRequestLineAtItsEmptyLine)
{
    for (const std::string more : {"", "GET /open HTTP/1.1\r\nHost: t\r\n\r\n"}) {
        Client client{running_.port};
        client.say("GET /open h\r\n\r\n" + more);
        EXPECT_EQ(status_of(client.hear_one()), 505U) << more;
    }
}

// Where a chunk ends is as much a matter of one reading as where a message does (RFC 9112 7.1).
TEST_F(ServerTest, RefusesChunksThatTwoReadersCouldCutInTwoWays)
{
    const std::string head = "POST /open HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\n"
                             "Transfer-Encoding: chunked\r\n\r\n";
    const std::string tail = "0\r\n\r\nGET /open HTTP/1.1\r\nHost: t\r\n\r\n";
    const std::string forms[] = {
        "2\n{}\r\n" + tail,
        "2\r\n{}\n" + tail,
        "2\r{}\r\n" + tail,
        "2\r\n{}x\r\n" + tail,
        "2\r\n{}" + tail,
        "-2\r\n{}\r\n" + tail,
        "+2\r\n{}\r\n" + tail,
        "0x2\r\n{}\r\n" + tail,
        " 2\r\n{}\r\n" + tail,
        "\r\n2\r\n{}\r\n" + tail,
        "\r\n" + tail,
        "2;a\nb\r\n{}\r\n" + tail,
        "2;\rb\r\n{}\r\n" + tail,
        "g\r\n{}\r\n" + tail,
        ";a\r\n{}\r\n" + tail,
        "2_\r\n{}\r\n" + tail,
        "10000000000000002\r\n{}\r\n" + tail,
        "2\r\n{}\r\n0\r\nX: y\n\r\nGET /open HTTP/1.1\r\nHost: t\r\n\r\n",
        "2\r\n{}\r\n0\r\nBad Name: y\r\n\r\nGET /open HTTP/1.1\r\nHost: t\r\n\r\n",
    };
    for (const std::string& form : forms) {
        const std::size_t before = running_.handled;
        SCOPED_TRACE(form);
        Client client{running_.port};
        client.say(head + form);
        const std::string heard = client.hear_all();
        EXPECT_EQ(status_of(heard), 400U);
        EXPECT_EQ(heard.find("\r\nDate: "), heard.rfind("\r\nDate: ")) << "a second answer";
        EXPECT_EQ(running_.handled, before);
    }
}

// A page of another origin that a browser has open: its preflight is not granted, and what it may send without one (no JSON
// among it) is refused. No answer says that it may be read.
TEST_F(ServerTest, GrantsNothingToOtherOrigins)
{
    const std::string origin = "Origin: https://evil.example\r\n";
    const std::string preflight =
        origin + "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization\r\n";
    for (const std::string& asked :
         {request("OPTIONS /things", preflight), request("OPTIONS /open", preflight), request("GET /open", origin),
          request("GET /things/7", origin), request("GET /nowhere", origin), request("OPTIONS *", preflight),
          request("GET /things/7", origin + "Authorization: Bearer tenant\r\n"),
          request("POST /open", origin + "Content-Type: application/json\r\n", "{}")}) {
        const std::string response = ask(asked);
        EXPECT_GE(status_of(response), 200U) << asked;
        EXPECT_EQ(response.find("Access-Control-"), std::string::npos) << response;
        EXPECT_EQ(response.find("Set-Cookie"), std::string::npos) << response;
    }
    for (const char* type : {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"})
        EXPECT_EQ(status_of(ask(request("POST /open", origin + "Content-Type: " + type + "\r\n", "{}"))), 415U) << type;
}

TEST_F(ServerTest, TakesAbsoluteFormAndRefusesOtherTargets)
{
    EXPECT_EQ(status_of(ask(request("GET http://t/open"))), 200U);
    EXPECT_EQ(status_of(ask(request("GET HTTP://t/open"))), 200U);
    EXPECT_EQ(status_of(ask(request("GET open"))), 400U);
    EXPECT_EQ(status_of(ask(request("GET ftp://t/open"))), 400U);
    EXPECT_EQ(status_of(ask(request("GET /open?a=1&a=2"))), 400U);
}

TEST_F(ServerTest, ListensInClearOnLoopbackOnly)
{
    running_.on_thread([&] {
        const auto refused = running_.server->listen_clear({asio::ip::make_address("0.0.0.0"), 0});
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, Errc::bad_value);
        const auto taken = running_.server->listen_clear({asio::ip::address_v4::loopback(), running_.port});
        ASSERT_FALSE(taken);
        EXPECT_EQ(taken.error().code, Errc::refused);
    });
}

TEST_F(ServerTest, ListensOnAUnixSocketAndReplacesADeadOne)
{
    const std::string path = testing::TempDir() + "penguin-http-" + std::to_string(::getpid()) + ".sock";
    running_.on_thread([&] {
        ASSERT_TRUE(running_.server->listen_unix(path));
        EXPECT_FALSE(running_.server->listen_unix(path)) << "somebody listens there";
    });
    {
        Client client{path};
        client.say(request("GET /open"));
        EXPECT_EQ(status_of(client.hear_one()), 200U);
    }
    const auto mode = std::filesystem::status(path).permissions();
    EXPECT_EQ(mode & std::filesystem::perms::others_all, std::filesystem::perms::none);
    Running second;
    second.start();
    running_.on_thread([&] { running_.server.reset(); });
    second.on_thread([&] { EXPECT_TRUE(second.server->listen_unix(path)); });
    std::filesystem::remove(path);
}

TEST_F(ServerTest, StopsWithoutCuttingAnAnswer)
{
    Client idle{running_.port};
    idle.say(request("GET /open"));
    idle.hear_one();
    std::promise<void> stopped;
    running_.on_thread([&] {
        asio::co_spawn(
            running_.io,
            [&]() -> awaitable<void> {
                co_await running_.server->stop(std::chrono::seconds{10});
                stopped.set_value();
            },
            asio::detached);
    });
    EXPECT_EQ(stopped.get_future().wait_for(std::chrono::seconds{20}), std::future_status::ready);
    EXPECT_TRUE(idle.closed());
    EXPECT_THROW(Client{running_.port}, std::runtime_error);
}

} // namespace
} // namespace penguin::control::http::test
