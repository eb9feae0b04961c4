// bench/harness/http_client.h
// HTTP/1.1 to the daemon's API over one kept-alive connection; one call at a time. It opens the connection when it must.
//
//   limits   kCallMax a call, kAnswerMax octets of an answer
//   errors   BenchError: no answer. An answer of any status is a value; json() throws when it is not the one wanted
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/json/value.hpp>

#include "bench/harness/patience.h"
#include "engine/base/asio.h"

namespace penguin::bench {

inline constexpr std::chrono::seconds kCallMax{60};
inline constexpr std::size_t kAnswerMax = std::size_t{64} << 20;

struct HttpAnswer {
    unsigned status = 0;
    std::string body;
};

class HttpClient {
public:
    // `token`: an API key, "" for none. The io_context outlives the client.
    HttpClient(asio::io_context& io, std::uint16_t port, std::string token);
    ~HttpClient();
    HttpClient(HttpClient&&) noexcept;
    HttpClient& operator=(HttpClient&&) = delete;

    awaitable<HttpAnswer> call(std::string method, std::string target, std::string body);
    // The same; throws unless the status is below 300, naming call and answer.
    awaitable<boost::json::value> json(std::string method, std::string target, std::string body);

private:
    struct Connection;
    std::unique_ptr<Connection> connection_;
};

// Runs them side by side to their ends; the first exception ends all and is thrown.
void run_all(asio::io_context& io, Patience& patience, std::vector<awaitable<void>> work);

// Runs one and gives what it gave.
template <class T>
T run(asio::io_context& io, Patience& patience, awaitable<T> work)
{
    std::optional<T> value;
    std::vector<awaitable<void>> all;
    all.push_back([](awaitable<T> inner, std::optional<T>& to) -> awaitable<void> {
        to.emplace(co_await std::move(inner));
    }(std::move(work), value));
    run_all(io, patience, std::move(all));
    return std::move(*value);
}

} // namespace penguin::bench
