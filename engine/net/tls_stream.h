// engine/net/tls_stream.h
// A TLS connection over a TcpStream, by OpenSSL on memory buffers: so a read can be tried without waiting, a write of
// many pieces becomes full records and one system call, and a wait can be cut off at any moment.
//
//   errors  tls_failed (handshake or record), and those of TcpStream. A connection cut off without close_notify is
//   closed
//           like any other: SMTP has its own ends.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/net/tcp_stream.h"
#include "engine/net/tls_context.h"

namespace penguin::net {

class TlsStream final : public ByteStream {
public:
    static constexpr std::size_t kRecordMax = std::size_t{16} * 1024; // octets of plain text (RFC 8446 5.1)

    // Handshakes. Bytes that were read from `below` before are no concern of TLS: whoever has some must not come here.
    static awaitable<Result<std::unique_ptr<TlsStream>>> start(std::unique_ptr<TcpStream> below, SslPtr ssl,
                                                               SteadyTime deadline);
    ~TlsStream() override;
    TlsStream(const TlsStream&) = delete;
    TlsStream& operator=(const TlsStream&) = delete;

    awaitable<Result<std::size_t>> read_some(std::span<char> into, SteadyTime deadline) override;
    Result<std::size_t> read_now(std::span<char> into) override;
    awaitable<Result<>> write(std::span<const std::string_view> pieces, SteadyTime deadline) override;
    void close() noexcept override;
    bool encrypted() const noexcept override { return true; }

    // "TLSv1.3 TLS_AES_256_GCM_SHA384"
    std::string protocol() const;
    bool resumed() const noexcept;

private:
    TlsStream(std::unique_ptr<TcpStream> below, SslPtr ssl);
    awaitable<Result<>> handshake(SteadyTime deadline);
    awaitable<Result<>> fill(SteadyTime deadline);
    awaitable<Result<>> flush(SteadyTime deadline);
    Result<std::size_t> decrypt(std::span<char> into); // 0: more octets are needed
    Result<> encrypt(std::string_view plain);
    std::unexpected<Error> broken(std::string_view doing);

    std::unique_ptr<TcpStream> below_;
    SslPtr ssl_;
    BIO* incoming_;                 // owned by ssl_
    BIO* outgoing_;                 // owned by ssl_
    std::vector<char> cipher_text_; // what was read from below
    std::string record_;            // plain text that is gathered
    bool usable_ = false;
};

} // namespace penguin::net
