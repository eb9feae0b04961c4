#include "engine/net/tcp_stream.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <optional>
#include <tuple>

#include <sys/socket.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/write.hpp>

namespace penguin::net {

namespace {

error_code errno_code() { return {errno, boost::system::system_category()}; }

} // namespace

class TcpStream::Guarded : public std::enable_shared_from_this<Guarded> {
public:
    explicit Guarded(asio::ip::tcp::socket connection) : socket{std::move(connection)}, timer_{socket.get_executor()} {}

    // False: the deadline is over already.
    bool begin(SteadyTime deadline)
    {
        assert(!busy_);
        expired_ = false;
        if (deadline <= std::chrono::steady_clock::now()) return false;
        busy_ = true;
        deadline_ = deadline;
        if (!set_for_ || deadline < *set_for_) set(deadline);
        return true;
    }

    Result<> end(const error_code& code, std::string_view doing)
    {
        busy_ = false;
        if (!code) return {};
        if (expired_ && code == asio::error::operation_aborted) return late(doing);
        return std::unexpected{error_of(code, doing)};
    }

    static Result<> late(std::string_view doing) { return fail(Errc::timeout, std::string{doing} + " took too long"); }

    void close() noexcept
    {
        error_code ignored;
        timer_.cancel();
        socket.close(ignored);
    }

    asio::ip::tcp::socket socket;

private:
    void set(SteadyTime when)
    {
        set_for_ = when;
        timer_.expires_at(when); // cancels the wait before, whose handler then sees operation_aborted
        timer_.async_wait([self = weak_from_this()](const error_code& code) {
            const std::shared_ptr<Guarded> alive = self.lock();
            if (alive && !code) alive->on_time();
        });
    }

    void on_time()
    {
        // expires_at() cannot call back a handler that is queued already: then it is the older one that comes here.
        if (set_for_ && std::chrono::steady_clock::now() < *set_for_) return;
        set_for_.reset();
        if (!busy_) return;
        if (std::chrono::steady_clock::now() < deadline_) return set(deadline_);
        expired_ = true;
        error_code ignored;
        socket.cancel(ignored);
    }

    asio::steady_timer timer_;
    SteadyTime deadline_;
    std::optional<SteadyTime> set_for_;
    bool busy_ = false;
    bool expired_ = false;
};

TcpStream::TcpStream(asio::ip::tcp::socket socket) : guarded_{std::make_shared<Guarded>(std::move(socket))}
{
    error_code ignored;
    guarded_->socket.non_blocking(true, ignored);
    // Commands and the end of a body are small and somebody waits for each.
    guarded_->socket.set_option(asio::ip::tcp::no_delay{true}, ignored);
}

TcpStream::~TcpStream() { guarded_->close(); }

void TcpStream::close() noexcept { guarded_->close(); }

asio::ip::tcp::socket& TcpStream::socket() noexcept { return guarded_->socket; }

awaitable<Result<>> TcpStream::connect(asio::ip::tcp::endpoint target, SteadyTime deadline)
{
    if (!guarded_->begin(deadline)) co_return Guarded::late("connecting");
    const auto [code] = co_await guarded_->socket.async_connect(target, use_result);
    co_return guarded_->end(code, "connecting");
}

awaitable<Result<std::size_t>> TcpStream::read_some(std::span<char> into, SteadyTime deadline)
{
    if (!guarded_->begin(deadline)) co_return std::unexpected{Guarded::late("reading").error()};
    const auto [code, count] =
        co_await guarded_->socket.async_read_some(asio::buffer(into.data(), into.size()), use_result);
    const Result<> result = guarded_->end(code, "reading");
    if (!result) co_return std::unexpected{result.error()};
    co_return count;
}

Result<std::size_t> TcpStream::read_now(std::span<char> into)
{
    const ssize_t count = ::recv(guarded_->socket.native_handle(), into.data(), into.size(), MSG_DONTWAIT);
    if (count > 0) return static_cast<std::size_t>(count);
    if (count == 0) return std::unexpected{error_of(asio::error::eof, "reading")};
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return 0;
    return std::unexpected{error_of(errno_code(), "reading")};
}

// Most writes find room at once; through the reactor each would cost a turn of the loop. What is left waits there.
awaitable<Result<>> TcpStream::write(std::span<const std::string_view> pieces, SteadyTime deadline)
{
    assert(pieces.size() <= kPiecesMax);
    if (deadline <= std::chrono::steady_clock::now()) co_return Guarded::late("writing");
    std::array<asio::const_buffer, kPiecesMax> buffers;
    for (std::size_t i = 0; i < pieces.size(); ++i) buffers[i] = asio::buffer(pieces[i].data(), pieces[i].size());
    std::span<const asio::const_buffer> left{buffers.data(), pieces.size()};
    const std::size_t octets = asio::buffer_size(left);
    error_code code;
    std::size_t written = guarded_->socket.write_some(left, code);
    if (code && code != asio::error::would_block) co_return std::unexpected{error_of(code, "writing")};
    if (written == octets) co_return Result<>{};
    for (asio::const_buffer& buffer : std::span{buffers}.first(pieces.size())) {
        const std::size_t of_it = std::min(written, buffer.size());
        buffer += of_it;
        written -= of_it;
    }
    if (!guarded_->begin(deadline)) co_return Guarded::late("writing");
    std::tie(code, written) = co_await asio::async_write(guarded_->socket, left, use_result);
    co_return guarded_->end(code, "writing");
}

void TcpStream::write_now(std::string_view bytes) noexcept
{
    if (!guarded_->socket.is_open()) return;
    ::send(guarded_->socket.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

} // namespace penguin::net
