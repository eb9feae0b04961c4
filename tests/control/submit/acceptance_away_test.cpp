// Batches while PostgreSQL is away: each is answered at once, also the one whose group fails before its caller waits.
#include "control/submit/acceptance.h"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "tests/support/run.h"

namespace penguin::control::submit {
namespace {

BatchRequest request()
{
    TemplateContent content{.from = {"", *EmailAddress::parse("s@acme.example")}, .subject = "s", .text = "t"};
    return {.tenant = TenantId{Uuid::v7(wall_now())},
            .content = std::move(content),
            .recipients = {{"ann@example.net", "", ""}}};
}

TEST(AcceptanceWithoutDatabase, SaysUnavailableAtOnce)
{
    Registry metrics;
    asio::io_context io;
    db::Database database{io.get_executor(), db::TierDsns::all("host=/nonexistent"), db::PoolOptions{}, metrics};
    Acceptance acceptance{database, io.get_executor(), [] {}, metrics};
    for (int call = 1; call <= 3; ++call) { // from the second on, the pool backs off and fails without waiting
        const Answer answer = tests::run(io, acceptance.accept(request(), wall_now()));
        ASSERT_FALSE(answer) << call;
        EXPECT_EQ(answer.error().kind, BatchRefused::Kind::unavailable) << call << ": " << answer.error().detail;
    }
}

} // namespace
} // namespace penguin::control::submit
