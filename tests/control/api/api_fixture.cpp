#include "api_fixture.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "tests/support/run.h"

namespace penguin::control::api::test {

namespace {

std::string hex(std::string_view bytes)
{
    std::string text;
    for (const char octet : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(octet));
    return text;
}

// The fields that differ from call to call whatever the answer is.
std::string comparable(std::string_view head)
{
    std::string out;
    while (!head.empty()) {
        const std::size_t end = head.find("\r\n");
        const std::string_view line = head.substr(0, end);
        head.remove_prefix(end + 2);
        if (!line.starts_with("Date:") && !line.starts_with("X-Request-Id:")) out += std::string{line} + "\n";
    }
    return out;
}

} // namespace

std::string Reply::at(std::string_view name) const
{
    const json::value* found =
        body.is_object() ? object().if_contains(json::string_view{name.data(), name.size()}) : nullptr;
    if (found == nullptr) return {};
    return found->is_string() ? std::string{found->get_string()} : json::serialize(*found);
}

std::string Reply::header(std::string_view name) const
{
    const std::size_t at = head.find("\n" + std::string{name} + ": ");
    if (at == std::string::npos) return {};
    const std::size_t begin = at + name.size() + 3;
    return head.substr(begin, head.find('\n', begin) - begin);
}

ApiTest::ApiTest()
{
    const db::TierDsns dsns = db::TierDsns::all(postgres_.dsn(database_name_, db::kApiRole));
    database_ = std::make_unique<db::Database>(io_.get_executor(), dsns, db::PoolOptions{}, metrics_);
    acceptance_ = std::make_unique<submit::Acceptance>(
        *database_, workers_.get_executor(), [] {}, metrics_,
        &backlog_.emplace(database_->queue, kBacklogMax, metrics_));
    deps_ = std::make_unique<ApiDeps>(ApiDeps{
        .database = *database_,
        .acceptance = *acceptance_,
        .master = master_,
        .resolver = dns_,
        .rules = rules_,
        .workers = workers_.get_executor(),
        .metrics = metrics_,
        .domains = {.bounce_mx = *DomainName::parse("bounces.mta.example"), .spf_include = {}, .dmarc_reports = {}},
        .cancel_batch = [this](TenantId tenant, BatchId batch) -> awaitable<Result<std::size_t>> {
            cancelled_.emplace_back(tenant, batch);
            co_return 1;
        },
        .reconcile = [this](const PoolName&, bool) -> awaitable<Result<submit::Reconciled>> {
            if (!reconcilable_) co_return fail(Errc::unavailable, "Redis is away");
            co_return submit::Reconciled{};
        },
        .standing = [this](const PoolName&, TenantId) -> awaitable<Result<queue::TenantStanding>> {
            co_return standing_;
        },
        .alive = [] { return Health{true, {{"process", "ok"}}}; },
        .ready = [] { return Health{false, {{"redis", "away"}}}; }});
    register_routes(router_, *deps_);
    keys_ = std::make_unique<PgApiKeys>(database_->control);
    audit_ = std::make_unique<audit::AuditLog>(database_->control, metrics_);
    CredentialAuthenticator::Options options{.hash_key = master_.derive(kApiKeyHashLabel), .jwks = {}, .rules = {}};
    authenticator_ = std::make_unique<CredentialAuthenticator>(*keys_, std::move(options), *audit_, metrics_);
    exchange_ = std::make_unique<http::Exchange>(router_, *authenticator_, *audit_, metrics_, limits_);

    const ApiKey key = ApiKey::make(wall_now());
    platform_ = "Bearer " + key.text();
    sql(fmt::format(
        "insert into control.platform_keys (id, name, hash, scopes, created) values ('{}', 'test', '\\x{}', "
        "'{{tenants:read,tenants:write,pools:read,pools:write,sources:read,sources:write,keys:read,keys:write,queue:"
        "write,audit:read,rules:read,rules:write}}', "
        "now())",
        key.id.text(), hex(hash_of(key, master_.derive(kApiKeyHashLabel)))));
}

ApiTest::~ApiTest()
{
    workers_.join();
    database_->close();
    io_.restart();
    io_.poll();
}

Reply ApiTest::call(const std::string& credential, std::string_view method, std::string_view target,
                    std::string_view body, const http::Fields& fields)
{
    http::Head head{
        .method = std::string{method}, .target = std::string{target}, .peer = asio::ip::address_v4::loopback()};
    head.fields = fields;
    head.fields.emplace_back("Host", "t");
    if (!credential.empty()) head.fields.emplace_back("Authorization", credential);
    if (!body.empty()) {
        head.fields.emplace_back("Content-Type", "application/json");
        head.fields.emplace_back("Content-Length", std::to_string(body.size()));
    }
    const auto exchange = [&]() -> awaitable<http::Response> {
        http::Trace trace{.id = Uuid::v7(wall_now()).text()};
        auto admitted = co_await exchange_->admit(head, trace);
        if (!admitted) co_return to_response(admitted.error(), "id");
        admitted->request.body = std::string{body};
        admitted->request.id = "id";
        trace.id = "id";
        co_return co_await exchange_->answer(*admitted, trace);
    };
    http::Response response = tests::run(io_, exchange());
    Reply reply{.status = response.status,
                .head = comparable(head_text(response, "id", true, wall_now())),
                .text = response.body,
                .body = {}};
    if (response.content_type.ends_with("json") && !response.body.empty())
        reply.body = boost::json::parse(response.body);
    return reply;
}

Tenant ApiTest::make_tenant(const std::string& name)
{
    const Reply made = platform("POST", "/v1/tenants", R"({"name": ")" + name + "\"}");
    EXPECT_EQ(made.status, 201U) << made.text;
    json::array scopes;
    for (const std::string_view scope : kTenantScopes) scopes.emplace_back(json::string{scope});
    const Reply key = platform("POST", "/v1/tenants/" + made.at("id") + "/api-keys",
                               json::serialize(json::object{{"name", "all"}, {"scopes", std::move(scopes)}}));
    EXPECT_EQ(key.status, 201U) << key.text;
    return Tenant{TenantId{*Uuid::parse(made.at("id"))}, "Bearer " + key.at("key")};
}

void ApiTest::add_source(const std::string& address)
{
    const Reply made =
        platform("POST", "/v1/sources",
                 R"({"ehlo_name": "mta.example", "pool": "default", "node": "n1", "address": ")" + address + "\"}");
    ASSERT_EQ(made.status, 201U) << made.text;
}

void ApiTest::publish(const Reply& domain)
{
    for (const json::value& value : domain.object().at("records").as_array()) {
        const json::object& record = value.as_object();
        const std::string name{record.at("name").as_string()};
        const std::string text{record.at("value").as_string()};
        if (record.at("type") == "TXT")
            dns_.add_txt(name, text);
        else
            dns_.add_mx(name, 10, text.substr(text.find(' ') + 1));
    }
}

void ApiTest::make_verified_domain(const Tenant& tenant, const std::string& name)
{
    const Reply made = call(tenant.credential, "POST", "/v1/domains", R"({"name": ")" + name + "\"}");
    ASSERT_EQ(made.status, 201U) << made.text;
    publish(made);
    const Reply verified = call(tenant.credential, "POST", "/v1/domains/" + name + "/verify");
    ASSERT_EQ(verified.status, 200U) << verified.text;
    ASSERT_EQ(verified.at("verified"), "true") << verified.text;
}

} // namespace penguin::control::api::test
