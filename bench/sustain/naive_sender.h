// A sender that heeds nothing: so many attempts a second, whatever the server answers; what was put off or lost comes again
// after a fixed time, before what is new.
//
//   limits  kAttemptMax a message with its connection; a connection that was lost is opened again for the next attempt
//   threads belongs to the io_context, which ends before it does
#pragma once

#include <deque>
#include <string>

#include <boost/asio/io_context.hpp>

#include "bench/sink/plain_mail.h"
#include "engine/net/tls_context.h"

namespace penguin::bench {

class NaiveSender {
public:
    static constexpr std::chrono::seconds kAttemptMax{30};
    static constexpr std::chrono::minutes kAgainAfter{5};

    struct Options {
        asio::ip::tcp::endpoint server;
        bool tls = true;
        double rate = 1; // attempts a second
        std::size_t connections = 5;
        std::size_t domains = 1; // of the recipients
        std::string message;
    };
    explicit NaiveSender(Options options);
    NaiveSender(const NaiveSender&) = delete;
    NaiveSender& operator=(const NaiveSender&) = delete;

    // Begins; goes on as long as `io` runs.
    void start(asio::io_context& io);

private:
    struct Again {
        std::size_t number = 0;
        SteadyTime due;
    };

    awaitable<void> work();
    // Whether the message need not come again.
    awaitable<bool> attempt(std::unique_ptr<PlainClient>& client, std::size_t number);
    std::size_t next_number();

    Options options_;
    net::TlsClient tls_;
    SteadyTime turn_;
    std::size_t numbered_ = 0;
    std::deque<Again> again_; // the earliest first: all wait equally long
};

} // namespace penguin::bench
