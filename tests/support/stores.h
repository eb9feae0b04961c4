// tests/support/stores.h
// Control's parts on a real PostgreSQL and a real Redis, as the daemon puts them together, with blocking calls; and a world
// that a test fills by SQL: a tenant with a verified domain. Link test_postgres, test_redis_server and what you use.
#pragma once

#include <fstream>
#include <functional>
#include <stdexcept>

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <fmt/format.h>

#include "control/db/database.h"
#include "control/ledger/ledger.h"
#include "control/submit/acceptance.h"
#include "control/submit/outbox_pump.h"
#include "engine/queue/send_queue.h"
#include "tests/engine/queue/redis_server.h"
#include "tests/support/postgres_server.h"
#include "tests/support/run.h"

namespace penguin::test {

inline const TenantId kTenantA{Uuid::parse("00000000-0000-7000-8000-00000000000a").value()};
inline const TenantId kTenantB{Uuid::parse("00000000-0000-7000-8000-00000000000b").value()};

inline EmailAddress address(std::string_view text) { return EmailAddress::parse(text).value(); }

inline void add_tenant(PostgresServer& server, const std::string& database, TenantId tenant,
                       const std::string& domain = "sender.example", const std::string& status = "active")
{
    server.sql(
        database,
        fmt::format(
            "insert into control.tenants (id, name, status, created, updated) values ('{0}', 'T', '{2}', now(), now());"
            "insert into control.domains (tenant_id, id, name, bounce_host, verified, created)"
            " values ('{0}', gen_random_uuid(), '{1}', 'bounce.{1}', now(), now())",
            tenant.value().text(), domain, status));
}

inline control::submit::BatchRequest batch_to(TenantId tenant, std::size_t recipients, std::string key = "")
{
    TemplateContent content{.from = {"Sender", address("me@sender.example")},
                            .reply_to = {},
                            .subject = "Hello {{name}}",
                            .text = "Dear {{name}}\n",
                            .html = "",
                            .headers = {},
                            .attachments = {},
                            .list_unsubscribe = "",
                            .defaults = {},
                            .strict = false};
    control::submit::BatchRequest request{.tenant = tenant, .content = std::move(content)};
    request.idempotency_key = std::move(key);
    for (std::size_t i = 0; i < recipients; ++i)
        request.recipients.push_back({fmt::format("r{}@b.example", i), fmt::format("Person {}", i), R"({"n":1})"});
    return request;
}

class Stores {
public:
    Stores(PostgresServer& postgres, std::string database, const queue::RedisUrl& url, bool crashed_before = false)
        : postgres{postgres},
          name{std::move(database)},
          redis{io.get_executor(), {.url = url, .ca_file = {}}},
          queue{redis, options()}
    {
        must(redis.connected_within(std::chrono::seconds{5}));
        must(queue.start(crashed_before));
        settle_epoch();
    }
    // As the reconciler does once it has looked.
    void settle_epoch() { must(queue.set_reconciled(must(queue.epoch()).id)); }
    ~Stores() { workers.join(); }

    template <class T>
    T run(awaitable<T> work)
    {
        // Optional, because a result that crosses co_spawn needs a default.
        const auto boxed = [](awaitable<T> inner) -> awaitable<std::optional<T>> {
            co_return co_await std::move(inner);
        };
        return std::move(*tests::run(io, boxed(std::move(work))));
    }
    template <class T>
    T must(awaitable<Result<T>> work)
    {
        Result<T> result = run(std::move(work));
        if (!result)
            throw std::runtime_error{std::string{penguin::name_of(result.error().code)} + ": " + result.error().detail};
        if constexpr (!std::is_void_v<T>) return std::move(*result);
    }
    std::string sql(const std::string& statements) const { return postgres.sql(name, statements); }

    auto accept(control::submit::BatchRequest request)
    {
        return run(acceptance.accept(std::move(request), wall_now()));
    }
    // Claims what is there and gives it the outcome `kind`, as the engine would. Gives the messages.
    std::vector<queue::Claimed> settle_all(queue::EventKind kind, const std::function<void(queue::Event&)>& change = {})
    {
        const queue::ClaimRequest request{.max = 1000, .ready_max = 1000, .per_tenant = 1000};
        std::vector<queue::Claimed> claimed = must(queue.claim(request));
        settle(claimed, kind, change);
        return claimed;
    }
    void settle(const std::vector<queue::Claimed>& claimed, queue::EventKind kind,
                const std::function<void(queue::Event&)>& change = {})
    {
        std::vector<queue::Settlement> settlements;
        for (const queue::Claimed& one : claimed) settlements.push_back(outcome(one, kind, change));
        if (!settlements.empty()) must(queue.settle(settlements));
    }
    static queue::Settlement outcome(const queue::Claimed& one, queue::EventKind kind,
                                     const std::function<void(queue::Event&)>& change)
    {
        queue::Settlement settlement;
        settlement.token = one.token;
        queue::Event& event = settlement.event;
        event.id = one.entry.id.text() + ":" + one.token + ":1";
        event.message = one.entry.id;
        event.tenant = one.entry.tenant;
        event.recipient = one.entry.to.text();
        event.kind = kind;
        event.at = wall_now();
        event.attempt = one.entry.attempt + 1;
        if (kind == queue::EventKind::deferred) {
            settlement.retry = one.entry;
            ++settlement.retry->attempt;
            settlement.retry_at = wall_now();
        }
        if (change) change(event);
        return settlement;
    }

    static queue::SendQueue::Options options()
    {
        queue::SendQueue::Options made;
        made.node = NodeName{"node-1"};
        made.incarnation = Uuid::v7(wall_now()).text();
        made.lease = std::chrono::seconds{1};
        made.call_deadline = std::chrono::seconds{2};
        return made;
    }
    static control::db::PoolOptions as(std::string_view role)
    {
        control::db::PoolOptions made;
        made.user = role;
        return made;
    }

    PostgresServer& postgres;
    std::string name;
    asio::io_context io;
    asio::thread_pool workers{1};
    Registry metrics;
    control::db::Database api{io.get_executor(), control::db::TierDsns::all(postgres.dsn(name)),
                              as(control::db::kApiRole), metrics};
    control::db::Database worker{io.get_executor(), control::db::TierDsns::all(postgres.dsn(name)),
                                 as(control::db::kWorkerRole), metrics};
    queue::RedisConnection redis;
    queue::SendQueue queue;
    int wakes = 0;
    control::submit::Acceptance acceptance{api, workers.get_executor(), [this] { ++wakes; }, metrics};
    control::submit::OutboxPump pump{
        worker, queue, {}, {}, {.pool = PoolName{"default"}, .lease = std::chrono::seconds{1}}, metrics};
    control::ledger::Ledger ledger{worker, queue, PoolName{"default"}, metrics};
};

} // namespace penguin::test
