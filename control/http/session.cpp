#include <array>

#include <boost/asio/read.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include "control/http/deadline.h"
#include "control/http/head_octets.h"
#include "control/http/server_state.h"
#include "engine/base/log.h"

namespace penguin::control::http {

namespace {

namespace beast = boost::beast;
using Parser = beast::http::request_parser<beast::http::string_body>;

constexpr std::size_t kReadAhead = 64 * 1024;       // octets read at once
constexpr std::size_t kLingerMax = 8 * 1024 * 1024; // octets thrown away of a peer that still sends

// Octets of the bodies_max budget, given back at the end of the request.
class BodyShare {
public:
    BodyShare(Server::State& state, std::size_t octets) : state_{state}
    {
        if (octets > state.limits.bodies_max - std::min(state.bodies, state.limits.bodies_max)) return;
        held_ = octets;
        granted_ = true;
        state.bodies += octets;
    }
    ~BodyShare() { state_.bodies -= held_; }
    BodyShare(const BodyShare&) = delete;
    BodyShare& operator=(const BodyShare&) = delete;
    bool granted() const { return granted_; }

private:
    Server::State& state_;
    std::size_t held_ = 0;
    bool granted_ = false;
};

Head head_of(const Parser& parser, const asio::ip::address& peer)
{
    const auto& message = parser.get();
    Head head{.method = std::string{message.method_string()},
              .target = std::string{message.target()},
              .version = message.version(),
              .peer = peer};
    for (const auto& field : message)
        head.fields.emplace_back(std::string{field.name_string()}, std::string{field.value()});
    return head;
}

Problem problem_of_head(const error_code& code)
{
    using beast::http::error;
    if (code == error::header_limit || code == error::buffer_overflow)
        return Problem{.code = Code::headers_too_large, .detail = "The header is too large."};
    if (code == error::bad_version)
        return Problem{.code = Code::version_not_supported, .detail = "HTTP/1.0 or HTTP/1.1."};
    return Problem{.code = Code::malformed_request, .detail = "Not an HTTP/1.1 request: " + code.message() + "."};
}

// After these, we and a proxy before us may not agree where the next request begins.
bool ends_connection(Code code)
{
    return code == Code::malformed_request || code == Code::version_not_supported || code == Code::headers_too_large ||
           code == Code::uri_too_long;
}

template <class Stream>
class Session final : public Connection {
public:
    Session(std::shared_ptr<Server::State> state, Stream& stream, Socket& socket, asio::ip::address peer)
        : state_{std::move(state)},
          stream_{stream},
          socket_{socket},
          peer_{std::move(peer)},
          deadline_{socket}
    {
        state_->connections.insert(this);
    }
    ~Session() override { state_->connections.erase(this); }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    void close_when_idle() override
    {
        error_code ignored;
        if (idle_) socket_.cancel(ignored);
    }
    void abort() override
    {
        error_code ignored;
        socket_.close(ignored);
    }

    awaitable<void> run()
    {
        bool open = true;
        for (std::size_t count = 1; open; ++count) {
            open = co_await wait_for_request();
            if (open) open = co_await one_request(count < state_->limits.requests_max);
        }
        if (unread_) co_await linger();
    }

private:
    // False: the peer went away, or was idle for too long, or we are stopping.
    awaitable<bool> wait_for_request()
    {
        if (buffer_.size() > 0) co_return true; // pipelined
        if (state_->stopping) co_return false;
        idle_ = true;
        deadline_.start(state_->limits.idle);
        const auto [code, count] = co_await stream_.async_read_some(buffer_.prepare(kReadAhead / 2), use_result);
        deadline_.end();
        idle_ = false;
        if (code) co_return false;
        buffer_.commit(count);
        co_return true;
    }

    awaitable<bool> one_request(bool more_allowed)
    {
        Trace trace{.id = Uuid::v7(wall_now()).text()};
        Parser parser;
        parser.header_limit(static_cast<std::uint32_t>(state_->limits.header_max));
        parser.body_limit(boost::none); // by the route, once it is known
        deadline_.start(state_->limits.header);
        HeadState head = HeadState::need_more;
        error_code code = co_await read_head(head);
        const std::string fault{fault_of(head)};
        if (!code && fault.empty()) code = parse_head(parser, head);
        deadline_.end();
        if (!fault.empty())
            co_return co_await refuse(Problem{.code = Code::malformed_request, .detail = fault}, trace, false);
        if (code) co_return co_await refuse_head(code, trace);

        auto admitted = co_await state_->exchange.admit(head_of(parser, peer_), trace);
        if (!admitted) {
            const bool keep =
                parser.is_done() && parser.keep_alive() && more_allowed && !ends_connection(admitted.error().code);
            co_return co_await refuse(admitted.error(), trace, keep);
        }
        const std::size_t expected = parser.content_length().value_or(parser.is_done() ? 0 : admitted->body_max);
        const BodyShare share{*state_, expected};
        if (!share.granted()) {
            co_return co_await refuse(Problem{.code = Code::unavailable,
                                              .detail = "Too many bodies are being read.",
                                              .headers = {{"Retry-After", "1"}}},
                                      trace, false);
        }
        if (!parser.is_done()) {
            const bool whole = co_await read_body(parser, *admitted, trace);
            if (!whole) co_return false;
        }
        admitted->request.body = std::move(parser.get().body());
        Response response = co_await state_->exchange.answer(*admitted, trace);
        const bool keep = parser.keep_alive() && more_allowed && !state_->stopping;
        const bool with_body = admitted->request.method != Method::head;
        co_return co_await write(std::move(response), trace, keep, with_body);
    }

    // Until the head is whole, breaks a rule, or is so large that the parser will refuse it.
    awaitable<error_code> read_head(HeadState& state)
    {
        HeadOctets octets;
        while (true) {
            const asio::const_buffer seen = buffer_.cdata();
            state = octets.look({static_cast<const char*>(seen.data()), seen.size()});
            if (state != HeadState::need_more || seen.size() >= state_->limits.header_max) co_return error_code{};
            const std::size_t room = std::min(kReadAhead / 2, kReadAhead - seen.size());
            const auto [code, count] = co_await stream_.async_read_some(buffer_.prepare(room), use_result);
            if (code) co_return code;
            buffer_.commit(count);
        }
    }

    // Without reading on: to the parser, a request line that is too short seems to go on behind the empty line.
    error_code parse_head(Parser& parser, HeadState state)
    {
        error_code code;
        buffer_.consume(parser.put(buffer_.cdata(), code));
        if (code != beast::http::error::need_more) return code;
        return state == HeadState::whole ? beast::http::error::bad_version : beast::http::error::header_limit;
    }

    awaitable<bool> read_body(Parser& parser, const Admitted& admitted, Trace& trace)
    {
        parser.body_limit(admitted.body_max);
        deadline_.start(state_->limits.body);
        if (admitted.continue_wanted && buffer_.size() == 0) {
            const std::string_view line = "HTTP/1.1 100 Continue\r\n\r\n";
            const auto [code, count] = co_await asio::async_write(stream_, asio::buffer(line), use_result);
            if (code) co_return false;
        }
        const auto [code, count] = co_await beast::http::async_read(stream_, buffer_, parser, use_result);
        deadline_.end();
        if (!code) co_return true;
        if (deadline_.passed()) {
            state_->count_timeout("body");
            co_await refuse(Problem{.code = Code::request_timeout, .detail = "The body came too slowly."}, trace,
                            false);
        } else if (code == beast::http::error::body_limit) {
            co_await refuse(Problem{.code = Code::body_too_large, .detail = "The body is too large."}, trace, false);
        } else if (code.category() == beast::http::make_error_code(beast::http::error::bad_chunk).category() &&
                   code != beast::http::error::partial_message && code != beast::http::error::end_of_stream) {
            co_await refuse(
                Problem{.code = Code::malformed_request, .detail = "The body is not chunked as RFC 9112 says."}, trace,
                false);
        }
        co_return false;
    }

    awaitable<bool> refuse_head(error_code code, Trace& trace)
    {
        if (deadline_.passed()) {
            state_->count_timeout("header");
            co_return co_await refuse(Problem{.code = Code::request_timeout, .detail = "The header came too slowly."},
                                      trace, false);
        }
        if (code == beast::http::error::end_of_stream || code == beast::http::error::partial_message ||
            code.category() != beast::http::make_error_code(beast::http::error::bad_method).category())
            co_return false; // the peer is gone
        co_return co_await refuse(problem_of_head(code), trace, false);
    }

    awaitable<bool> refuse(Problem problem, Trace& trace, bool keep)
    {
        unread_ = !keep;
        co_return co_await write(to_response(problem, trace.id), trace, keep && !state_->stopping,
                                 trace.method != "HEAD");
    }

    awaitable<bool> write(Response response, Trace& trace, bool keep, bool with_body)
    {
        trace.status = response.status;
        const std::string head = head_text(response, trace.id, keep, wall_now());
        const std::array<asio::const_buffer, 2> buffers{
            asio::buffer(head), asio::buffer(response.body.data(), with_body ? response.body.size() : 0)};
        deadline_.start(state_->limits.write);
        const auto [code, count] = co_await asio::async_write(stream_, buffers, use_result);
        deadline_.end();
        if (deadline_.passed()) state_->count_timeout("write");
        state_->exchange.note(trace);
        if (code) unread_ = false;
        co_return keep && !code;
    }

    // A close with octets unread makes the kernel send a reset, which may overtake our answer.
    awaitable<void> linger()
    {
        error_code ignored;
        socket_.shutdown(Socket::shutdown_send, ignored);
        deadline_.start(state_->limits.linger);
        std::vector<char> waste(kReadAhead);
        for (std::size_t thrown = 0; thrown < kLingerMax && !deadline_.passed();) {
            const auto [code, count] = co_await socket_.async_read_some(asio::buffer(waste), use_result);
            if (code) break;
            thrown += count;
        }
        deadline_.end();
    }

    std::shared_ptr<Server::State> state_;
    Stream& stream_;
    Socket& socket_;
    asio::ip::address peer_;
    Deadline<Socket> deadline_;
    beast::flat_buffer buffer_{kReadAhead};
    bool idle_ = false;
    bool unread_ = false; // we end while the peer may still send
};

awaitable<void> serve_tls(std::shared_ptr<Server::State> state, Socket socket, asio::ip::address peer,
                          std::shared_ptr<asio::ssl::context> tls)
{
    asio::ssl::stream<Socket> stream{std::move(socket), *tls};
    Socket& lowest = stream.next_layer();
    Deadline<Socket> deadline{lowest};
    deadline.start(state->limits.handshake);
    const auto [failed] = co_await stream.async_handshake(asio::ssl::stream_base::server, use_result);
    deadline.end();
    if (failed) {
        if (deadline.passed()) state->count_timeout("handshake");
        state->metrics.counter("penguin_http_handshakes_failed_total", "TLS handshakes that failed").add();
        co_return;
    }
    Session<asio::ssl::stream<Socket>> session{state, stream, lowest, peer};
    co_await session.run();
    if (!lowest.is_open()) co_return;
    deadline.start(state->limits.linger);
    co_await stream.async_shutdown(use_result);
    deadline.end();
}

} // namespace

awaitable<void> serve(std::shared_ptr<Server::State> state, Socket socket, asio::ip::address peer,
                      std::shared_ptr<asio::ssl::context> tls)
{
    if (tls) {
        co_await serve_tls(state, std::move(socket), peer, tls);
        co_return;
    }
    Session<Socket> session{state, socket, socket, peer};
    co_await session.run();
}

} // namespace penguin::control::http
