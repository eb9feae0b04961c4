// tests/control/api/api_fixture.h
// The whole API on a real PostgreSQL, with DNS from a table: calls go through admission, credential and handler as they do
// in the server, and come back with the head that the server would send.
#pragma once

#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

#include "control/api/routes.h"
#include "control/audit/audit_log.h"
#include "control/auth/credential_authenticator.h"
#include "control/auth/pg_api_keys.h"
#include "control/http/exchange.h"
#include "tests/support/postgres_server.h"
#include "tests/support/zone_table.h"

namespace penguin::control::api::test {

namespace json = boost::json;

struct Reply {
    unsigned status = 0;
    std::string head; // without Date and X-Request-Id
    std::string text;
    json::value body; // null when there is none
    const json::object& object() const { return body.as_object(); }
    std::string at(std::string_view name) const; // a field's text or JSON
    std::string code() const { return at("code"); }
    std::string header(std::string_view name) const;
};

struct Tenant {
    TenantId id;
    std::string credential; // an API key with every scope of a tenant
};

class ApiTest : public testing::Test {
protected:
    ApiTest();
    ~ApiTest() override;

    // `body` "" is none. `fields` are more header lines ("Name: value").
    Reply call(const std::string& credential, std::string_view method, std::string_view target,
               std::string_view body = "", const http::Fields& fields = {});
    Reply platform(std::string_view method, std::string_view target, std::string_view body = "",
                   const http::Fields& fields = {})
    {
        return call(platform_, method, target, body, fields);
    }
    Tenant make_tenant(const std::string& name);
    void add_source(const std::string& address = "192.0.2.10");
    // Makes the domain, publishes its records in `dns`, and verifies it.
    void make_verified_domain(const Tenant& tenant, const std::string& name);
    void publish(const Reply& domain);
    std::string sql(const std::string& statement) const { return postgres_.sql(database_name_, statement); }

    static constexpr std::size_t kBacklogMax = 1'000'000; // messages
    penguin::test::PostgresServer& postgres_ = penguin::test::PostgresServer::instance();
    std::string database_name_ = postgres_.migrated_database();
    Registry metrics_; // before io_, whose last coroutines still use it
    asio::io_context io_;
    asio::thread_pool workers_{1};
    tests::ZoneTable dns_;
    RulesInForce rules_{policy::shipped_rule_file(), metrics_};
    dkim::MasterKey master_ = dkim::MasterKey::random();
    std::unique_ptr<db::Database> database_;
    std::optional<submit::Backlog> backlog_; // of what is accepted in the test
    std::unique_ptr<submit::Acceptance> acceptance_;
    std::unique_ptr<ApiDeps> deps_;
    http::Router router_;
    std::unique_ptr<PgApiKeys> keys_;
    std::unique_ptr<audit::AuditLog> audit_; // writes when a test says so
    std::unique_ptr<CredentialAuthenticator> authenticator_;
    http::ServerLimits limits_;
    std::unique_ptr<http::Exchange> exchange_;
    std::string platform_; // credential
    std::vector<std::pair<TenantId, BatchId>> cancelled_;
    bool reconcilable_ = true;
    Result<queue::TenantStanding> standing_ = queue::TenantStanding{}; // what Redis says of any tenant
};

} // namespace penguin::control::api::test
