// Every route of the API through router, credential, readers and handlers, up to the database, which is away: an answer always comes,
// is none of our faults, and a problem is JSON with a code of control/openapi.yaml and, where fields are wrong, their names.
// Its seeds are made of control/openapi.yaml (api_seeds.py), so that a new route is fuzzed as soon as it is described.
//
//   input   a line: who calls (tenant or platform), method, target; a line: value of Idempotency-Key and If-Match; the rest is the body
#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>

#include "control/api/openapi_text.h"
#include "control/api/routes.h"
#include "control/http/exchange.h"
#include "engine/base/log.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/nobody_listens.h"
#include "tests/support/run.h"
#include "tests/support/zone_table.h"

using namespace penguin;
using fuzz::check;
using namespace penguin::control;

namespace {

// "tenant" or "platform", each with all scopes.
class TwoCallers final : public Authenticator {
    awaitable<Result<Principal>> authenticate(std::string authorization, asio::ip::address /*peer*/) override
    {
        Principal principal{.tenant = std::nullopt, .scopes = {}, .subject = "s"};
        if (authorization == "tenant") {
            principal.tenant = TenantId{*Uuid::parse("01936f8a-0000-7000-8000-000000000001")};
            principal.scopes.insert(kTenantScopes.begin(), kTenantScopes.end());
        } else {
            principal.scopes.insert(kPlatformScopes.begin(), kPlatformScopes.end());
        }
        co_return principal;
    }
};

struct World {
    Registry metrics;
    asio::io_context io;
    db::Database database{io.get_executor(), db::TierDsns::all("host=/nonexistent"), db::PoolOptions{}, metrics};
    submit::Acceptance acceptance{database, io.get_executor(), [] {}, metrics};
    dkim::MasterKey master = dkim::MasterKey::random();
    tests::ZoneTable resolver;
    RulesInForce rules{policy::shipped_rule_file(), metrics};
    api::ApiDeps deps{
        .database = database,
        .acceptance = acceptance,
        .master = master,
        .resolver = resolver,
        .rules = rules,
        .workers = io.get_executor(),
        .metrics = metrics,
        .domains = {.bounce_mx = *DomainName::parse("mx.example"), .spf_include = {}, .dmarc_reports = {}},
        .cancel_batch = [](TenantId, BatchId) -> awaitable<Result<std::size_t>> {
            co_return fail(Errc::unavailable, "away");
        },
        .reconcile = [](PoolName, bool) -> awaitable<Result<submit::Reconciled>> {
            co_return fail(Errc::unavailable, "away");
        },
        .standing = [](const PoolName&, TenantId) -> awaitable<Result<queue::TenantStanding>> {
            co_return queue::TenantStanding{};
        },
        .settings_may_have_changed = [] {},
        .alive = [] { return api::Health{true, {}}; },
        .ready = [] { return api::Health{false, {{"database", "away"}}}; }};
    http::Router router;
    TwoCallers authenticator;
    fuzz::NobodyListens events;
    http::ServerLimits limits;
    http::Exchange exchange{router, authenticator, events, metrics, limits};

    World()
    {
        log::start({.level = log::Level::error});
        api::register_routes(router, deps);
    }
};

std::string_view take_until(std::string_view& text, char end)
{
    const std::string_view taken = text.substr(0, text.find(end));
    text.remove_prefix(std::min(taken.size() + 1, text.size()));
    return taken;
}

// Control octets cannot come in a field: the parser of heads has refused them.
std::string field_value(std::string_view text)
{
    std::string value{text};
    std::erase_if(value, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
    return value;
}

void check_problem(const http::Response& response)
{
    boost::system::error_code code;
    const boost::json::value value = boost::json::parse(response.body, code);
    check(!code && value.is_object() && response.content_type == "application/problem+json");
    const boost::json::object& problem = value.get_object();
    check(problem.at("status").to_number<unsigned>() == response.status);
    const std::string name{problem.at("code").as_string()};
    check(api::openapi_text().contains("            - " + name + "\n"));
    const boost::json::value* errors = problem.if_contains("errors");
    if (name == "validation_failed") check(errors != nullptr && !errors->as_array().empty());
    if (errors == nullptr) return;
    for (const boost::json::value& error : errors->as_array())
        check(!error.at("field").as_string().empty() &&
              api::openapi_text().contains("            - " + std::string{error.at("code").as_string()} + "\n"));
}

awaitable<http::Response> call(World& world, http::Head head, std::string_view body)
{
    http::Trace trace{.id = "01936f8a-0000-7000-8000-000000000000"};
    auto admitted = co_await world.exchange.admit(std::move(head), trace);
    if (!admitted) co_return to_response(admitted.error(), trace.id);
    if (body.size() > admitted->body_max) co_return http::Response{.status = 204};
    admitted->request.body = body;
    co_return co_await world.exchange.answer(*admitted, trace);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static World world;
    std::string_view rest{reinterpret_cast<const char*>(data), size};
    std::string_view line = take_until(rest, '\n');
    const std::string value = field_value(take_until(rest, '\n'));
    const std::string caller{take_until(line, ' ')};
    const std::string method{take_until(line, ' ')};
    http::Head head{.method = method,
                    .target = std::string{line},
                    .fields = {{"Host", "h"}, {"Authorization", caller}, {"Content-Type", "application/json"}},
                    .peer = asio::ip::address_v4::loopback()};
    if (!value.empty()) {
        head.fields.emplace_back("Idempotency-Key", value);
        head.fields.emplace_back("If-Match", value);
    }
    const http::Response response = tests::run(world.io, call(world, std::move(head), rest));
    check((response.status >= 200 && response.status < 300) || (response.status >= 400 && response.status < 500) ||
          response.status == 503);
    if (response.status >= 400 && !line.starts_with("/readyz")) check_problem(response);
    return 0;
}
