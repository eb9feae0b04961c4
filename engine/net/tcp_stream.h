// engine/net/tcp_stream.h
// A TCP connection in clear.
//
// A deadline costs almost nothing: one timer a stream, set only when none runs or an earlier one is needed. When it
// goes off too early (the operation it was set for is long done) it is set again for the deadline that counts then.
#pragma once

#include <memory>

#include <boost/asio/ip/tcp.hpp>

#include "engine/net/byte_stream.h"

namespace penguin::net {

class TcpStream final : public ByteStream {
public:
    explicit TcpStream(asio::ip::tcp::socket socket);
    ~TcpStream() override;
    TcpStream(const TcpStream&) = delete;
    TcpStream& operator=(const TcpStream&) = delete;

    awaitable<Result<>> connect(asio::ip::tcp::endpoint target, SteadyTime deadline);

    awaitable<Result<std::size_t>> read_some(std::span<char> into, SteadyTime deadline) override;
    Result<std::size_t> read_now(std::span<char> into) override;
    awaitable<Result<>> write(std::span<const std::string_view> pieces, SteadyTime deadline) override;
    // As much as the kernel takes at once; the rest is dropped. For last words.
    void write_now(std::string_view bytes) noexcept;
    void close() noexcept override;
    bool encrypted() const noexcept override { return false; }

    asio::ip::tcp::socket& socket() noexcept;

private:
    class Guarded; // socket and timer: they outlive us while a handler is on its way
    std::shared_ptr<Guarded> guarded_;
};

} // namespace penguin::net
