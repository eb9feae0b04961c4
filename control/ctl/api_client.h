// control/ctl/api_client.h
// Calls of the API: one connection each, in clear on this machine, else TLS 1.3 with the server's certificate verified.
//
//   in       where, the key (sent as Bearer), the authorities to trust, a limit for each request
//   out      the answer of whatever status
//   limits   `limit` for connection, TLS, request and answer together (looking a name up takes as long as the system's resolver may,
//            which nothing can interrupt); kAddressesTried; kAnswerMax octets of an answer
//   errors   those of http_client::exchange; not_found and unreachable (the host), refused, tls_failed, timeout
//   threads  belongs to one io_context
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "control/ctl/api_url.h"
#include "control/ctl/call.h"
#include "control/http_client/exchange.h"
#include "control/http_client/verified_tls.h"
#include "engine/net/tcp_stream.h"

namespace penguin::control::ctl {

class ApiClient {
public:
    static constexpr std::size_t kAddressesTried = 4;
    static constexpr std::size_t kAnswerMax = std::size_t{64} << 20; // octets

    struct Options {
        ApiUrl url;
        std::string key;                   // empty: none is sent
        std::filesystem::path authorities; // PEM; empty: those of the system
        std::chrono::milliseconds limit{30'000};
    };
    // Throws std::runtime_error when the authorities cannot be read.
    explicit ApiClient(Options options);

    awaitable<Result<http_client::Answer>> call(Call call);

private:
    using Stream = std::unique_ptr<net::ByteStream>;
    awaitable<Result<http_client::Answer>> call_before(Call call, SteadyTime deadline);
    awaitable<Result<Stream>> open(SteadyTime deadline);
    awaitable<Result<std::unique_ptr<net::TcpStream>>> open_tcp(SteadyTime deadline);
    awaitable<Result<std::unique_ptr<net::TcpStream>>> open_socket();
    http_client::Request request_of(Call call) const;

    Options options_;
    std::optional<http_client::VerifiedTls> tls_; // of an https URL
};

} // namespace penguin::control::ctl
