// A whole connection to our server, whatever the client says on it: the same answers however it is cut, all of them answers that
// may be given, and no body larger than its route takes. The first octet says how it is cut. Heads, bodies by length, chunked
// bodies, pipelining and what ends a connection are all in here; TLS is not.
#include "control/http/server_state.h"

#include <boost/asio/local/connect_pair.hpp>

#include "engine/base/log.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/nobody_listens.h"

using namespace penguin;
using fuzz::check;
using namespace penguin::control;

namespace {

constexpr std::size_t kBodyMax = 256; // octets
constexpr int kIdleTurnsMax = 400;    // of kTurn without an end: longer than any deadline of ours
constexpr std::chrono::milliseconds kTurn{10};

class OneKey final : public Authenticator {
    awaitable<Result<Principal>> authenticate(std::string authorization, asio::ip::address /*peer*/) override
    {
        if (authorization != "Bearer k") co_return fail(authorization.empty() ? Errc::missing : Errc::denied, "no");
        co_return Principal{.tenant = TenantId{}, .scopes = {"batches:write"}, .subject = "s"};
    }
};

struct World {
    http::Router router;
    OneKey authenticator;
    fuzz::NobodyListens events;
    Registry metrics;
    asio::io_context io;
    std::size_t handled = 0;
    std::size_t octets = 0; // of bodies
    bool done = false;      // with the connection

    World()
    {
        log::start({.level = log::Level::error});
        const auto handler = [this](const http::Request& request) -> awaitable<http::Answer> {
            ++handled;
            octets += request.body.size();
            check(request.body.size() <= kBodyMax);
            co_return http::Response{.body = "{\"octets\":" + std::to_string(request.body.size()) + "}"};
        };
        router.add(
            {.method = http::Method::get, .pattern = "/a/{b}", .audience = http::Audience::anyone, .handler = handler});
        router.add({.method = http::Method::post,
                    .pattern = "/a",
                    .scope = "batches:write",
                    .body = http::BodyKind::json,
                    .body_max = kBodyMax,
                    .handler = handler});
        router.add({.method = http::Method::post,
                    .pattern = "/open",
                    .audience = http::Audience::anyone,
                    .body = http::BodyKind::json,
                    .body_max = kBodyMax,
                    .handler = handler});
    }
};

std::string read_some(asio::local::stream_protocol::socket& client)
{
    std::string heard(64 * 1024, '\0');
    error_code code;
    heard.resize(client.read_some(asio::buffer(heard), code));
    return heard;
}

std::string converse(World& world, std::string_view said, std::size_t length)
{
    using Pipe = asio::local::stream_protocol::socket;
    http::ServerLimits limits;
    limits.header_max = 1024;
    limits.target_max = 128;
    limits.fields_max = 10;
    limits.requests_max = 50;
    Pipe client{world.io};
    Pipe server{world.io};
    asio::local::connect_pair(client, server);
    client.non_blocking(true);
    auto state = std::make_shared<http::Server::State>(world.io.get_executor(), world.router, world.authenticator,
                                                       world.events, world.metrics, limits);
    world.done = false;
    asio::co_spawn(world.io, http::serve(state, http::Socket{std::move(server)}, asio::ip::address{}, nullptr),
                   [&world](const std::exception_ptr& thrown) {
                       check(thrown == nullptr);
                       world.done = true;
                   });
    std::string heard;
    error_code code;
    world.io.restart();
    while (!said.empty() && !world.done && !code) {
        said.remove_prefix(client.write_some(asio::buffer(said.substr(0, length)), code));
        if (code == asio::error::would_block) code = {};
        world.io.poll();
        heard += read_some(client);
    }
    client.shutdown(Pipe::shutdown_send, code);
    for (int turn = 0; !world.done; ++turn) {
        check(turn < kIdleTurnsMax);
        world.io.restart();
        world.io.run_one_for(kTurn);
        heard += read_some(client);
    }
    world.io.restart();
    world.io.poll();
    for (std::string more = read_some(client); !more.empty(); more = read_some(client)) heard += more;
    check(state->bodies == 0 && state->connections.empty());
    return heard;
}

// What differs from call to call, and the one line whose place depends on the cut.
std::string comparable(std::string heard)
{
    for (const auto& [start, length] :
         {std::pair<std::string_view, std::size_t>{"\r\nDate: ", 29}, {"X-Request-Id: ", 36}, {"urn:uuid:", 36}})
        for (std::size_t at = heard.find(start); at != std::string::npos; at = heard.find(start, at + start.size()))
            heard.replace(std::min(at + start.size(), heard.size()), length, "-");
    constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    for (std::size_t at = heard.find(kContinue); at != std::string::npos; at = heard.find(kContinue, at))
        heard.erase(at, kContinue.size());
    return heard;
}

// Answers hold nothing of what the client said, so a status line in them is one.
void check_statuses(std::string_view heard, std::size_t handled)
{
    constexpr std::string_view kStart = "HTTP/1.1 ";
    std::size_t fine = 0;
    check(heard.empty() || heard.starts_with(kStart));
    for (std::size_t at = heard.find(kStart); at != std::string_view::npos; at = heard.find(kStart, at + 1)) {
        const std::string_view status = heard.substr(at + kStart.size(), 3);
        if (status == "req") continue; // "Not an HTTP/1.1 request"
        check(status == "200" || status == "204" || status[0] == '4' || status == "503" || status == "505");
        if (status == "200") ++fine;
    }
    check(fine == handled);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static World world;
    if (size == 0) return 0;
    const std::string_view said{reinterpret_cast<const char*>(data) + 1, size - 1};
    world.handled = world.octets = 0;
    const std::string whole = comparable(converse(world, said, said.size() + 1));
    check_statuses(whole, world.handled);
    const std::size_t octets = std::exchange(world.octets, 0);
    world.handled = 0;
    const std::string cut = comparable(converse(world, said, data[0] % 31 + 1U));
    check_statuses(cut, world.handled);
    check(whole == cut && octets == world.octets);
    return 0;
}
