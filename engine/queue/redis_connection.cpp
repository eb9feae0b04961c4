#include "engine/queue/redis_connection.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <deque>
#include <optional>

#include "engine/base/log.h"
#include "engine/queue/redis_link.h"

namespace penguin::queue {

namespace {

// A command that waits for its reply. Its timer is both deadline and wake-up.
struct Waiting {
    explicit Waiting(const asio::any_io_executor& executor) : timer{executor} {}
    asio::steady_timer timer;
    std::optional<Result<RedisReply>> result;

    void finish(Result<RedisReply> with)
    {
        result = std::move(with);
        timer.cancel();
    }
};

} // namespace

struct RedisConnection::State : std::enable_shared_from_this<State> {
    State(asio::any_io_executor with, Options given)
        : executor{std::move(with)},
          options{std::move(given)},
          changed{executor},
          pause{executor}
    {
        changed.expires_at(asio::steady_timer::time_point::max());
    }

    asio::any_io_executor executor;
    Options options;
    std::shared_ptr<RedisLink> link; // set while connected
    std::shared_ptr<RedisLink> opening;
    std::deque<std::shared_ptr<Waiting>> in_flight;
    std::string unsent;
    bool flush_posted = false;
    bool closed = false;
    std::uint64_t generation = 0;
    Error last_error{Errc::unavailable, "not connected to Redis yet"};
    std::vector<std::function<void(std::uint64_t)>> calls;
    asio::steady_timer changed; // cancelled whenever `link` or `closed` changes
    asio::steady_timer pause;

    void submit(const std::vector<std::string>& arguments, const std::shared_ptr<Waiting>& waiting)
    {
        append_command(unsent, arguments);
        in_flight.push_back(waiting);
        if (flush_posted) return;
        flush_posted = true;
        // Later in this pass, so that what other coroutines send now goes in the same write.
        asio::post(executor, [self = shared_from_this()] {
            self->flush_posted = false;
            self->flush();
        });
    }

    void flush()
    {
        if (!link || link->busy || unsent.empty()) return;
        link->busy = true;
        link->writing = std::move(unsent);
        unsent.clear();
        auto done = [self = shared_from_this(), at = link](const error_code& code, std::size_t) {
            at->busy = false;
            at->writing.clear();
            if (code)
                at->close(); // the read ends, and with it the connection
            else if (self->link == at)
                self->flush();
        };
        if (link->tls)
            asio::async_write(*link->tls, asio::buffer(link->writing), std::move(done));
        else
            asio::async_write(link->socket, asio::buffer(link->writing), std::move(done));
    }

    void fail_in_flight(const Error& why)
    {
        unsent.clear();
        const std::deque<std::shared_ptr<Waiting>> all = std::exchange(in_flight, {});
        for (const auto& waiting : all) waiting->finish(std::unexpected{why});
    }

    void close()
    {
        closed = true;
        if (link) link->close();
        if (opening) opening->close();
        fail_in_flight({Errc::cancelled, "the connection to Redis was closed"});
        pause.cancel();
        changed.cancel();
    }

    awaitable<Result<>> open_socket(std::shared_ptr<RedisLink> to)
    {
        if (!options.url.path.empty()) {
            const asio::local::stream_protocol::endpoint endpoint{options.url.path};
            const auto [code] = co_await to->socket.async_connect(endpoint, use_result);
            if (code) co_return std::unexpected{error_of(code, "connecting to " + options.url.shown())};
            co_return Result<>{};
        }
        asio::ip::tcp::resolver resolver{executor};
        const auto [code, found] =
            co_await resolver.async_resolve(options.url.host, std::to_string(options.url.port), use_result);
        if (code) co_return std::unexpected{error_of(code, "looking up " + options.url.host)};
        Error last{Errc::unreachable, "no address for " + options.url.host};
        for (const auto& address : found) {
            to->close();
            const auto [failed] = co_await to->socket.async_connect(address.endpoint(), use_result);
            if (!failed) {
                error_code ignored;
                to->socket.set_option(asio::ip::tcp::no_delay{true}, ignored);
                to->socket.set_option(asio::socket_base::keep_alive{true}, ignored);
                co_return Result<>{};
            }
            last = error_of(failed, "connecting to " + options.url.shown());
        }
        co_return std::unexpected{last};
    }

    awaitable<Result<>> open_tls(std::shared_ptr<RedisLink> to)
    {
        asio::ssl::context context{asio::ssl::context::tls_client};
        error_code code;
        context.set_options(asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1, code);
        if (options.ca_file.empty())
            context.set_default_verify_paths(code);
        else
            context.load_verify_file(options.ca_file, code);
        if (code) co_return std::unexpected{error_of(code, "reading the certificates to trust for Redis")};
        to->tls.emplace(to->socket, context);
        to->tls->set_verify_mode(asio::ssl::verify_peer, code);
        to->tls->set_verify_callback(asio::ssl::host_name_verification{options.url.host}, code);
        error_code not_an_address;
        asio::ip::make_address(options.url.host, not_an_address);
        if (not_an_address) // RFC 6066 3: the name indication holds no address
            SSL_set_tlsext_host_name(to->tls->native_handle(), options.url.host.c_str());
        const auto [failed] = co_await to->tls->async_handshake(asio::ssl::stream_base::client, use_result);
        if (failed) co_return std::unexpected{error_of(failed, "TLS with " + options.url.shown())};
        co_return Result<>{};
    }

    awaitable<Result<>> log_in(std::shared_ptr<RedisLink> to)
    {
        if (!options.url.password.empty()) {
            std::vector<std::string> auth{"AUTH"};
            if (!options.url.user.empty()) auth.push_back(options.url.user);
            auth.push_back(options.url.password);
            const Result<RedisReply> reply = co_await to->round_trip(std::move(auth));
            if (!reply) co_return fail(reply.error(), "AUTH");
        }
        // Asked for always: it also shows at once a server that answers, but not to us (NOAUTH, LOADING).
        std::vector<std::string> select{"SELECT", std::to_string(options.url.database)};
        const Result<RedisReply> reply = co_await to->round_trip(std::move(select));
        if (!reply) co_return fail(reply.error(), "SELECT");
        co_return Result<>{};
    }

    awaitable<Result<>> open(std::shared_ptr<RedisLink> to)
    {
        Result<> done = co_await open_socket(to);
        if (done && options.url.tls) done = co_await open_tls(to);
        if (done) done = co_await log_in(to);
        co_return done;
    }

    void begin(std::shared_ptr<RedisLink> with)
    {
        link = std::move(with);
        ++generation;
        log::info("redis", "connected", {{"url", options.url.shown()}, {"generation", generation}});
        changed.cancel();
        for (const auto& call : calls) call(generation);
    }

    awaitable<Error> serve(std::shared_ptr<RedisLink> at)
    {
        while (true) {
            const Result<> more = co_await at->read();
            if (!more) co_return more.error();
            while (true) {
                Result<std::optional<RedisReply>> reply = at->next_reply();
                if (!reply) co_return reply.error();
                if (!*reply) break;
                if (in_flight.empty()) co_return Error{Errc::malformed, "Redis answered what nobody asked"};
                const std::shared_ptr<Waiting> waiting = std::move(in_flight.front());
                in_flight.pop_front();
                waiting->finish(std::move(**reply));
            }
        }
    }

    void lost(const Error& why)
    {
        link->close();
        link.reset();
        last_error = {Errc::unavailable, "the connection to Redis ended: " + why.detail};
        fail_in_flight(last_error);
        if (!closed) log::warning("redis", "connection_lost", {{"url", options.url.shown()}, {"why", why.detail}});
        changed.cancel();
    }

    static awaitable<void> run(std::shared_ptr<State> self)
    {
        Duration wait = self->options.retry_first;
        while (!self->closed) {
            self->opening = std::make_shared<RedisLink>(self->executor);
            const Result<> up =
                co_await within(self->options.connect_deadline, "connecting to Redis", self->open(self->opening));
            const std::shared_ptr<RedisLink> link = std::exchange(self->opening, nullptr);
            if (self->closed) break;
            if (up) {
                wait = self->options.retry_first;
                self->begin(link);
                const Error why = co_await self->serve(link);
                self->lost(why);
            } else {
                link->close();
                if (self->last_error.detail != up.error().detail)
                    log::warning("redis", "connect_failed",
                                 {{"url", self->options.url.shown()}, {"why", up.error().detail}});
                self->last_error = {up.error().code == Errc::denied ? Errc::denied : Errc::unavailable,
                                    up.error().detail};
                self->changed.cancel();
            }
            if (self->closed) break;
            self->pause.expires_after(wait);
            co_await self->pause.async_wait(use_result);
            wait = std::min(wait * 2, self->options.retry_most);
        }
    }
};

RedisConnection::RedisConnection(asio::any_io_executor executor, Options options)
    : state_{std::make_shared<State>(std::move(executor), std::move(options))}
{
    asio::co_spawn(state_->executor, State::run(state_), asio::detached);
}

RedisConnection::~RedisConnection() { state_->close(); }

awaitable<Result<>> RedisConnection::connected_within(Duration limit)
{
    const std::shared_ptr<State> state = state_;
    const auto until = std::chrono::steady_clock::now() + limit;
    asio::steady_timer timer{state->executor, until};
    const auto out_of_time = std::make_shared<bool>(false);
    timer.async_wait([out_of_time, state](const error_code& code) {
        if (code) return;
        *out_of_time = true;
        state->changed.cancel();
    });
    while (!state->link && !state->closed && !*out_of_time) {
        co_await state->changed.async_wait(use_result);
        const auto cancelled = (co_await asio::this_coro::cancellation_state).cancelled();
        if (cancelled != asio::cancellation_type::none) co_return fail(Errc::cancelled, "waiting for Redis");
    }
    if (state->closed) co_return fail(Errc::cancelled, "the connection to Redis was closed");
    if (!state->link) co_return std::unexpected{state->last_error};
    co_return Result<>{};
}

bool RedisConnection::connected() const { return state_->link != nullptr; }

awaitable<Result<RedisReply>> RedisConnection::exchange(std::vector<std::string> arguments, Duration deadline)
{
    const std::shared_ptr<State> state = state_;
    if (state->closed) co_return fail(Errc::cancelled, "the connection to Redis was closed");
    if (!state->link) co_return std::unexpected{state->last_error};
    if (state->in_flight.size() >= kInFlightMax) co_return fail(Errc::full, "too many commands wait for Redis");
    if (state->unsent.size() >= kUnsentMax) co_return fail(Errc::full, "too many octets wait for Redis");
    const auto waiting = std::make_shared<Waiting>(state->executor);
    waiting->timer.expires_after(deadline);
    state->submit(arguments, waiting);
    const auto [code] = co_await waiting->timer.async_wait(use_result);
    if (waiting->result) co_return std::move(*waiting->result);
    if (code) co_return fail(Errc::cancelled, "waiting for Redis' reply"); // the reply, when it comes, is dropped
    if (state->link) state->link->close();
    co_return fail(Errc::timeout, "no reply of Redis in time");
}

awaitable<Result<RedisReply>> RedisConnection::command(std::vector<std::string> arguments, Duration deadline)
{
    Result<RedisReply> reply = co_await exchange(std::move(arguments), deadline);
    co_return checked(std::move(reply));
}

std::uint64_t RedisConnection::generation() const { return state_->generation; }

void RedisConnection::on_connect(std::function<void(std::uint64_t)> call) { state_->calls.push_back(std::move(call)); }

void RedisConnection::close() { state_->close(); }

} // namespace penguin::queue
