#include "engine/net/tls_stream.h"

#include <array>

#include <openssl/bio.h>
#include <openssl/err.h>

namespace penguin::net {

namespace {

constexpr std::size_t kCipherTextMax = TlsStream::kRecordMax + 1024; // octets a read: a record and its overhead

std::string_view contents(BIO* memory)
{
    char* data = nullptr;
    const long size = BIO_get_mem_data(memory, &data);
    return {data, static_cast<std::size_t>(size)};
}

} // namespace

TlsStream::TlsStream(std::unique_ptr<TcpStream> below, SslPtr ssl)
    : below_{std::move(below)},
      ssl_{std::move(ssl)},
      incoming_{BIO_new(BIO_s_mem())},
      outgoing_{BIO_new(BIO_s_mem())},
      cipher_text_(kCipherTextMax)
{
    BIO_set_mem_eof_return(incoming_, -1); // empty means "wait", not "end"
    BIO_set_mem_eof_return(outgoing_, -1);
    SSL_set_bio(ssl_.get(), incoming_, outgoing_);
}

TlsStream::~TlsStream() { close(); }

awaitable<Result<std::unique_ptr<TlsStream>>> TlsStream::start(std::unique_ptr<TcpStream> below, SslPtr ssl,
                                                               SteadyTime deadline)
{
    if (!ssl) co_return fail(Errc::local_fault, "TLS: " + take_ssl_error());
    std::unique_ptr<TlsStream> stream{new TlsStream{std::move(below), std::move(ssl)}};
    const Result<> done = co_await stream->handshake(deadline);
    if (!done) co_return std::unexpected{done.error()};
    co_return stream;
}

awaitable<Result<>> TlsStream::handshake(SteadyTime deadline)
{
    for (;;) {
        ERR_clear_error();
        const int result = SSL_do_handshake(ssl_.get());
        const int why = result == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl_.get(), result);
        const std::string reason = why == SSL_ERROR_SSL ? take_ssl_error() : "";
        // Also what a failed handshake leaves: the alert that tells the other side why.
        const Result<> flushed = co_await flush(deadline);
        if (why == SSL_ERROR_NONE && flushed) {
            usable_ = true;
            co_return Result<>{};
        }
        if (why == SSL_ERROR_SSL) co_return fail(Errc::tls_failed, "TLS handshake: " + reason);
        if (!flushed) co_return fail(flushed.error(), "TLS handshake");
        if (why != SSL_ERROR_WANT_READ) co_return fail(Errc::tls_failed, "TLS handshake: unexpected end");
        const Result<> filled = co_await fill(deadline);
        if (!filled) co_return fail(filled.error(), "TLS handshake");
    }
}

awaitable<Result<>> TlsStream::fill(SteadyTime deadline)
{
    const Result<std::size_t> count = co_await below_->read_some(cipher_text_, deadline);
    if (!count) co_return std::unexpected{count.error()};
    BIO_write(incoming_, cipher_text_.data(), static_cast<int>(*count));
    co_return Result<>{};
}

awaitable<Result<>> TlsStream::flush(SteadyTime deadline)
{
    const std::string_view bytes = contents(outgoing_);
    if (bytes.empty()) co_return Result<>{};
    const std::array<std::string_view, 1> pieces{bytes};
    const Result<> written = co_await below_->write(pieces, deadline);
    BIO_reset(outgoing_);
    co_return written;
}

Result<std::size_t> TlsStream::decrypt(std::span<char> into)
{
    std::size_t count = 0;
    ERR_clear_error();
    if (SSL_read_ex(ssl_.get(), into.data(), into.size(), &count) == 1) return count;
    const int why = SSL_get_error(ssl_.get(), 0);
    if (why == SSL_ERROR_WANT_READ) return 0;
    if (why == SSL_ERROR_ZERO_RETURN) return fail(Errc::closed, "reading: the peer ended TLS");
    return broken("reading");
}

awaitable<Result<std::size_t>> TlsStream::read_some(std::span<char> into, SteadyTime deadline)
{
    for (;;) {
        const Result<std::size_t> count = decrypt(into);
        if (!count || *count > 0) co_return count;
        const Result<> flushed = co_await flush(deadline); // an answer to a key update
        if (!flushed) co_return std::unexpected{flushed.error()};
        const Result<> filled = co_await fill(deadline);
        if (!filled) co_return std::unexpected{filled.error()};
    }
}

Result<std::size_t> TlsStream::read_now(std::span<char> into)
{
    for (;;) {
        Result<std::size_t> count = decrypt(into);
        if (!count || *count > 0) return count;
        count = below_->read_now(cipher_text_);
        if (!count || *count == 0) return count;
        BIO_write(incoming_, cipher_text_.data(), static_cast<int>(*count));
    }
}

Result<> TlsStream::encrypt(std::string_view plain)
{
    std::size_t count = 0;
    ERR_clear_error();
    // Memory takes everything at once, so one call writes one whole record or fails for good.
    if (SSL_write_ex(ssl_.get(), plain.data(), plain.size(), &count) != 1) return broken("writing");
    return {};
}

awaitable<Result<>> TlsStream::write(std::span<const std::string_view> pieces, SteadyTime deadline)
{
    record_.clear();
    for (std::string_view piece : pieces) {
        while (!piece.empty()) {
            const std::string_view part = piece.substr(0, kRecordMax - record_.size());
            piece.remove_prefix(part.size());
            if (record_.empty() && part.size() == kRecordMax) {
                if (const Result<> done = encrypt(part); !done) co_return done;
                continue;
            }
            record_ += part;
            if (record_.size() < kRecordMax) continue;
            if (const Result<> done = encrypt(record_); !done) co_return done;
            record_.clear();
        }
    }
    if (!record_.empty()) {
        const Result<> done = encrypt(record_);
        if (!done) co_return done;
    }
    const Result<> flushed = co_await flush(deadline);
    co_return flushed;
}

std::unexpected<Error> TlsStream::broken(std::string_view doing)
{
    usable_ = false;
    return fail(Errc::tls_failed, std::string{doing} + ": TLS: " + take_ssl_error());
}

void TlsStream::close() noexcept
{
    if (usable_) {
        // Besides good manners: OpenSSL forbids resuming a session that did not end with it.
        ERR_clear_error();
        SSL_shutdown(ssl_.get());
        below_->write_now(contents(outgoing_));
        usable_ = false;
    }
    below_->close();
}

std::string TlsStream::protocol() const
{
    return std::string{SSL_get_version(ssl_.get())} + " " + SSL_get_cipher_name(ssl_.get());
}

bool TlsStream::resumed() const noexcept { return SSL_session_reused(ssl_.get()) == 1; }

} // namespace penguin::net
