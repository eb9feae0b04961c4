// Prints the route table, one route a line: method, pattern, audience, scope ("-" for none), body (none or json).
#include <iostream>
#include <memory>

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include "control/api/routes.h"
#include "tests/support/zone_table.h"

using namespace penguin;
using namespace penguin::control;

int main()
{
    asio::io_context io;
    Registry metrics;
    db::Database database{io.get_executor(), db::TierDsns::all(""), db::PoolOptions{}, metrics};
    submit::Acceptance acceptance{database, io.get_executor(), [] {}, metrics};
    const dkim::MasterKey master = dkim::MasterKey::random();
    tests::ZoneTable resolver;
    const RulesInForce rules{policy::shipped_rule_file(), metrics};
    api::ApiDeps deps{
        .database = database,
        .acceptance = acceptance,
        .master = master,
        .resolver = resolver,
        .rules = rules,
        .workers = io.get_executor(),
        .metrics = metrics,
        .domains = {.bounce_mx = *DomainName::parse("mx.example"), .spf_include = {}, .dmarc_reports = {}},
        .cancel_batch = {},
        .alive = {},
        .ready = {}};
    http::Router router;
    api::register_routes(router, deps);
    for (const http::Route& route : router.routes()) {
        std::cout << http::name_of(route.method) << ' ' << route.pattern << ' ' << http::name_of(route.audience) << ' '
                  << (route.scope.empty() ? "-" : route.scope) << ' '
                  << (route.body == http::BodyKind::json ? "json" : "none") << '\n';
    }
}
