// engine/net/byte_stream.h
// A connection as protocols see it: bytes in, bytes out, each wait with a deadline. Real: TcpStream, TlsStream.
//
//   limits   one operation at a time; kPiecesMax pieces a write
//   errors   timeout (the deadline passed), closed (by the peer, orderly or not), tls_failed, and others of error_of.
//            After any error but the timeout of a read the stream is good for nothing but close().
//   threads  belongs to one io_context that one thread runs
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "engine/base/asio.h"

namespace penguin::net {

class ByteStream {
public:
    static constexpr std::size_t kPiecesMax = 65; // what a body's encoder gives at once, and the commands behind it

    virtual ~ByteStream() = default;

    // At least one octet.
    virtual awaitable<Result<std::size_t>> read_some(std::span<char> into, SteadyTime deadline) = 0;
    // What has come already, without waiting; 0: nothing.
    virtual Result<std::size_t> read_now(std::span<char> into) = 0;
    // All pieces, one after the other. They stay alive and unchanged until the result.
    virtual awaitable<Result<>> write(std::span<const std::string_view> pieces, SteadyTime deadline) = 0;
    virtual void close() noexcept = 0;
    virtual bool encrypted() const noexcept = 0;
};

} // namespace penguin::net
