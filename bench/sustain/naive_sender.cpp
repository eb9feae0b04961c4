#include "bench/sustain/naive_sender.h"

#include <algorithm>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "bench/harness/letters.h"
#include "bench/harness/nameserver.h"

namespace penguin::bench {

namespace {

SteadyTime now() { return std::chrono::steady_clock::now(); }

} // namespace

NaiveSender::NaiveSender(Options options) : options_{std::move(options)}, turn_{now()} {}

void NaiveSender::start(asio::io_context& io)
{
    turn_ = now();
    for (std::size_t i = 0; i < options_.connections; ++i) asio::co_spawn(io, work(), asio::detached);
}

std::size_t NaiveSender::next_number()
{
    if (again_.empty() || again_.front().due > now()) return numbered_++;
    const std::size_t number = again_.front().number;
    again_.pop_front();
    return number;
}

awaitable<void> NaiveSender::work()
{
    const auto interval =
        std::chrono::duration_cast<SteadyTime::duration>(std::chrono::duration<double>{1} / options_.rate);
    std::unique_ptr<PlainClient> client;
    for (;;) {
        const SteadyTime turn = turn_;
        turn_ += interval;
        co_await sleep_for(std::chrono::ceil<Duration>(std::max(SteadyTime::duration{0}, turn - now())));
        const std::size_t number = next_number();
        const bool done = co_await attempt(client, number);
        if (!done) again_.push_back({number, now() + kAgainAfter});
    }
}

awaitable<bool> NaiveSender::attempt(std::unique_ptr<PlainClient>& client, std::size_t number)
{
    const SteadyTime deadline = now() + kAttemptMax;
    if (!client) {
        Result<std::unique_ptr<PlainClient>> opened = co_await PlainClient::open(
            {options_.server, *DomainName::parse(source_host(0)), options_.tls ? &tls_ : nullptr}, deadline);
        if (!opened) co_return false;
        client = std::move(*opened);
    }
    const PlainMail mail{*EmailAddress::parse("naive@" + sender_domain(0)),
                         *EmailAddress::parse(recipient_address(number, options_.domains)), options_.message};
    const Result<smtp::Reply> reply = co_await client->send(mail, deadline);
    if (!reply || reply->code == 421) client.reset();
    co_return reply && !reply->transient();
}

} // namespace penguin::bench
