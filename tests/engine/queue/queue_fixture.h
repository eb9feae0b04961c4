// tests/engine/queue/queue_fixture.h
// What the queue's tests share: entries, outcomes, a node on a connection of its own, and how to run a coroutine.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <set>

#include "engine/queue/send_queue.h"
#include "tests/engine/queue/redis_server.h"

namespace penguin::test {

using namespace std::chrono_literals;

// Runs `work` to its end on `io`.
template <class T>
T run(asio::io_context& io, awaitable<T> work)
{
    std::optional<T> out;
    std::exception_ptr thrown;
    asio::co_spawn(io, std::move(work), [&](std::exception_ptr error, T value) {
        thrown = error;
        out = std::move(value);
    });
    io.restart();
    while (!out) io.run_one();
    if (thrown) std::rethrow_exception(thrown);
    return std::move(*out);
}

inline TenantId tenant_of(unsigned number)
{
    std::array<std::uint8_t, 16> bytes{};
    bytes[0] = 0xA0;
    bytes[14] = static_cast<std::uint8_t>(number >> 8);
    bytes[15] = static_cast<std::uint8_t>(number);
    return TenantId{Uuid::from_bytes(bytes)};
}

inline BatchId batch_of(unsigned number)
{
    std::array<std::uint8_t, 16> bytes{};
    bytes[0] = 0xBB;
    bytes[14] = static_cast<std::uint8_t>(number >> 8);
    bytes[15] = static_cast<std::uint8_t>(number);
    return BatchId{Uuid::from_bytes(bytes)};
}

inline CampaignKey campaign_of(unsigned tenant, unsigned number)
{
    std::array<std::uint8_t, 16> bytes{};
    bytes[0] = 0xCC;
    bytes[15] = static_cast<std::uint8_t>(number);
    return {tenant_of(tenant), CampaignId{Uuid::from_bytes(bytes)}};
}

inline queue::Entry entry_of(unsigned tenant, unsigned batch, unsigned index,
                             queue::Priority prio = queue::Priority::normal)
{
    queue::Entry entry{.id = {batch_of(batch), index},
                       .tenant = tenant_of(tenant),
                       .campaign = {},
                       .mailbox = {},
                       .from = EmailAddress::parse("sender@a.example").value(),
                       .to = EmailAddress::parse("r" + std::to_string(index) + "@b.example").value(),
                       .content = std::string(64, 'c'),
                       .raw = {},
                       .vars = R"({"name":"Ann"})",
                       .prio = prio,
                       .not_before = {},
                       .expires = {},
                       .attempt = 0,
                       .queued = from_unix_ms(1'700'000'000'000),
                       .avoid = {}};
    return entry;
}

inline std::vector<queue::Entry> batch_entries(unsigned tenant, unsigned batch, unsigned count,
                                               queue::Priority prio = queue::Priority::normal)
{
    std::vector<queue::Entry> out;
    for (unsigned i = 0; i < count; ++i) out.push_back(entry_of(tenant, batch, i, prio));
    return out;
}

inline queue::Settlement outcome_of(const queue::Claimed& claimed, queue::EventKind kind)
{
    static std::uint64_t told = 0; // as a journal would count
    queue::Settlement out;
    out.sequence = ++told;
    out.token = claimed.token;
    out.event.id = claimed.entry.id.text() + ":" + claimed.token + ":0";
    out.event.message = claimed.entry.id;
    out.event.tenant = claimed.entry.tenant;
    out.event.recipient = claimed.entry.to.text();
    out.event.kind = kind;
    out.event.at = wall_now();
    out.event.attempt = claimed.entry.attempt + 1;
    if (kind == queue::EventKind::deferred) {
        out.retry = claimed.entry;
        out.retry->attempt += 1;
        out.retry_at = wall_now() + 1h;
    }
    return out;
}

inline std::vector<queue::Settlement> outcomes_of(const std::vector<queue::Claimed>& all, queue::EventKind kind)
{
    std::vector<queue::Settlement> out;
    for (const queue::Claimed& claimed : all) out.push_back(outcome_of(claimed, kind));
    return out;
}

inline std::vector<queue::Token> tokens_of(const std::vector<queue::Claimed>& all)
{
    std::vector<queue::Token> out;
    for (const queue::Claimed& claimed : all) out.push_back(claimed.token);
    return out;
}

// A node: a connection and a queue on it, and its calls in blocking form. An error ends the test, except through `try_`.
class Node {
public:
    Node(asio::io_context& io, const queue::RedisUrl& url, const std::string& name, const std::string& incarnation,
         std::chrono::seconds lease = 30s, bool started = true)
        : io_{io},
          redis_{io.get_executor(), {.url = url, .ca_file = {}, .retry_first = 5ms}},
          queue_{redis_, options_of(name, incarnation, lease)}
    {
        must(redis_.connected_within(5s));
        if (started) must(queue_.start(false));
    }

    static queue::SendQueue::Options options_of(const std::string& name, const std::string& incarnation,
                                                std::chrono::seconds lease)
    {
        queue::SendQueue::Options options;
        options.node = NodeName{name};
        options.incarnation = incarnation;
        options.lease = lease;
        options.call_deadline = 2s;
        return options;
    }

    template <class T>
    T must(awaitable<Result<T>> work)
    {
        Result<T> result = run(io_, std::move(work));
        if (!result) throw std::runtime_error(std::string{name_of(result.error().code)} + ": " + result.error().detail);
        if constexpr (!std::is_void_v<T>) return std::move(*result);
    }
    template <class T>
    Result<T> try_(awaitable<Result<T>> work)
    {
        return run(io_, std::move(work));
    }

    queue::EnqueueReport enqueue(const std::vector<queue::Entry>& entries) { return must(queue_.enqueue(entries)); }
    std::vector<queue::Claimed> claim(std::size_t max, std::size_t per_tenant = 10,
                                      const std::set<std::string>& full = {})
    {
        queue::ClaimRequest request{.max = max, .ready_max = max, .per_tenant = per_tenant, .per_place = 1000};
        for (const std::string& place : full) request.room[place] = 0;
        return must(queue_.claim(request));
    }
    queue::SettleReport settle(const std::vector<queue::Settlement>& settlements)
    {
        return must(queue_.settle(settlements));
    }
    std::size_t release(const std::vector<queue::Token>& tokens, std::optional<WallTime> avoid = {})
    {
        return must(queue_.release(tokens, avoid));
    }
    static std::vector<queue::Parking> parkings_of(const std::vector<queue::Token>& tokens, const std::string& place)
    {
        std::vector<queue::Parking> parkings;
        for (const queue::Token& token : tokens) parkings.push_back({token, place});
        return parkings;
    }
    std::size_t park(const std::vector<queue::Token>& tokens, const std::string& place)
    {
        return must(queue_.park(parkings_of(tokens, place)));
    }
    std::vector<queue::Claimed> hand() { return must(queue_.hand()); }
    queue::Summary summary() { return must(queue_.summary()); }
    std::vector<queue::Event> events() { return must(queue_.read_events("", 10'000)).events; }

    asio::io_context& io() { return io_; }
    queue::RedisConnection& redis() { return redis_; }
    queue::SendQueue& queue() { return queue_; }

private:
    asio::io_context& io_;
    queue::RedisConnection redis_;
    queue::SendQueue queue_;
};

// One server for all tests of a program, emptied before each.
class QueueTest : public testing::Test {
protected:
    static RedisServer& server()
    {
        static RedisServer one;
        return one;
    }
    void SetUp() override { server().cli("FLUSHALL"); }

    asio::io_context io;
    const std::string key = "pm:{default}:";
};

} // namespace penguin::test
