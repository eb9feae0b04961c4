#include "control/db/pg_pool.h"

#include <boost/asio/io_context.hpp>

#include <gtest/gtest.h>

#include "tests/support/postgres_server.h"
#include "tests/support/run.h"

namespace penguin::control::db {
namespace {

using namespace std::chrono_literals;
using namespace asio::experimental::awaitable_operators;
using test::PostgresServer;
using tests::run;

class PgPoolTest : public testing::Test {
protected:
    PoolOptions options(std::size_t connections) const
    {
        PoolOptions made;
        made.dsn = server.dsn("postgres");
        made.connections = connections;
        return made;
    }

    PostgresServer& server = PostgresServer::instance();
    asio::io_context io;
    Registry metrics;
};

awaitable<std::string> backend(PgPool::Lease& lease)
{
    std::vector<Statement> ask{{"select pg_backend_pid()::text as pid", {}}};
    const auto rows = co_await lease->run(std::move(ask), 5s);
    co_return rows ? rows->front().front().get<std::string>("pid") : "";
}

TEST_F(PgPoolTest, AConnectionIsUsedAgain)
{
    PgPool pool{io.get_executor(), options(2), metrics};
    const auto twice = [&]() -> awaitable<bool> {
        std::string first;
        {
            auto lease = co_await pool.acquire();
            first = co_await backend(*lease);
        }
        auto lease = co_await pool.acquire();
        const std::string second = co_await backend(*lease);
        co_return !first.empty() && first == second;
    };
    EXPECT_TRUE(run(io, twice()));
}

TEST_F(PgPoolTest, CallersOverTheBoundWaitTheirTurn)
{
    PgPool pool{io.get_executor(), options(2), metrics};
    int in_use = 2;
    int most = 0;
    std::vector<int> order;
    const auto use = [&](int number) -> awaitable<bool> {
        auto lease = co_await pool.acquire();
        if (!lease) co_return false;
        order.push_back(number);
        most = std::max(most, ++in_use);
        const std::string pid = co_await backend(*lease);
        --in_use;
        co_return !pid.empty();
    };
    const auto scene = [&]() -> awaitable<bool> {
        std::optional<Result<PgPool::Lease>> first{co_await pool.acquire()};
        std::optional<Result<PgPool::Lease>> second{co_await pool.acquire()};
        const auto give_back = [&]() -> awaitable<bool> {
            in_use -= 2;
            first.reset();
            second.reset();
            co_return true;
        };
        const auto [a, b, c, d] = co_await (use(1) && use(2) && use(3) && give_back());
        co_return a&& b&& c&& d;
    };
    EXPECT_TRUE(run(io, scene()));
    EXPECT_EQ(most, 2);
    EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST_F(PgPoolTest, TheLineHasALengthAndATime)
{
    PoolOptions narrow = options(1);
    narrow.waiting_max = 1;
    narrow.acquire_limit = 100ms;
    PgPool pool{io.get_executor(), narrow, metrics};
    const auto code = [&]() -> awaitable<Errc> {
        auto lease = co_await pool.acquire();
        co_return lease ? Errc::bad_value : lease.error().code;
    };
    const auto held = [&]() -> awaitable<std::pair<Errc, Errc>> {
        const auto lease = co_await pool.acquire();
        const auto [first, second] = co_await (code() && code());
        co_return std::pair{first, second};
    };
    const auto [first, second] = run(io, held());
    EXPECT_EQ(first, Errc::timeout);
    EXPECT_EQ(second, Errc::full);
}

TEST_F(PgPoolTest, AWaiterThatGoesAwayKeepsNothing)
{
    PgPool pool{io.get_executor(), options(1), metrics};
    const auto acquire = [&]() -> awaitable<Result<>> {
        auto lease = co_await pool.acquire();
        co_return Result<>{};
    };
    const auto scene = [&]() -> awaitable<bool> {
        {
            auto lease = co_await pool.acquire();
            const Result<> gone = co_await within<>(20ms, "waiting", acquire());
            if (gone) co_return false;
        }
        const Result<> next = co_await acquire();
        co_return next.has_value();
    };
    EXPECT_TRUE(run(io, scene()));
}

TEST_F(PgPoolTest, ALeaseInTheMiddleOfATransactionIsNotReused)
{
    PgPool pool{io.get_executor(), options(1), metrics};
    const auto scene = [&]() -> awaitable<bool> {
        std::string first;
        {
            auto lease = co_await pool.acquire();
            first = co_await backend(*lease);
            std::vector<Statement> begin{{"begin", {}}};
            co_await (*lease)->run(std::move(begin), 5s);
        }
        auto lease = co_await pool.acquire();
        const std::string second = co_await backend(*lease);
        co_return !second.empty() && first != second;
    };
    EXPECT_TRUE(run(io, scene()));
}

TEST_F(PgPoolTest, ARestartedServerIsFoundAgain)
{
    PgPool pool{io.get_executor(), options(2), metrics};
    EXPECT_TRUE(run(io, pool.check()));
    server.stop();
    const Result<> away = run(io, pool.check());
    ASSERT_FALSE(away);
    EXPECT_EQ(away.error().code, Errc::unavailable);
    EXPECT_EQ(run(io, pool.check()).error().code, Errc::unavailable);
    EXPECT_FALSE(pool.healthy());
    server.start();
    const auto until_back = [&]() -> awaitable<bool> {
        for (int i = 0; i < 100; ++i) {
            const Result<> answered = co_await pool.check();
            if (answered) co_return true;
            co_await sleep_for(100ms);
        }
        co_return false;
    };
    EXPECT_TRUE(run(io, until_back()));
    EXPECT_TRUE(pool.healthy());
}

TEST_F(PgPoolTest, AClosedPoolGivesNothing)
{
    PgPool pool{io.get_executor(), options(1), metrics};
    EXPECT_TRUE(run(io, pool.check()));
    pool.close();
    EXPECT_EQ(run(io, pool.check()).error().code, Errc::cancelled);
}

} // namespace
} // namespace penguin::control::db
