#include "bench/soak/churn.h"

#include <boost/asio/steady_timer.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "bench/harness/letters.h"
#include "bench/harness/nameserver.h"
#include "engine/base/clock.h"

namespace penguin::bench {

namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

constexpr auto kPause = 500ms;                // between two steps of a kind
constexpr auto kPutOff = 60s;                 // of a campaign that is cancelled
constexpr std::size_t kCampaign = 50;         // recipients
constexpr std::size_t kAside = 1'000'000'000; // numbers of recipients that get nothing begin there
constexpr std::size_t kSourceAside = 60'000;  // and those of sources

struct Member {
    std::string id;
    std::string key;
    std::string key_id;
};

std::string text_at(const json::value& value, std::string_view field)
{
    return std::string{value.as_object().at(field).as_string()};
}

awaitable<void> expect_status(HttpClient& api, std::string method, std::string target, unsigned wanted)
{
    const std::string call = method + " " + target;
    const HttpAnswer answer = co_await api.call(std::move(method), std::move(target), "");
    if (answer.status != wanted)
        throw BenchError{fmt::format("{} was answered {}: {}", call, answer.status, answer.body)};
}

awaitable<Member> join(HttpClient& admin, std::string name, json::array scopes)
{
    const json::object tenant{{"name", name}, {"pool", kBenchPool}};
    Member member{.id = text_at(co_await admin.json("POST", "/v1/tenants", json::serialize(tenant)), "id"),
                  .key = {},
                  .key_id = {}};
    const json::object wanted{{"name", "churn"}, {"scopes", std::move(scopes)}};
    const json::value made =
        co_await admin.json("POST", "/v1/tenants/" + member.id + "/api-keys", json::serialize(wanted));
    member.key = text_at(made, "key");
    member.key_id = text_at(made, "id");
    co_return member;
}

awaitable<void> leave(HttpClient& admin, Member member)
{
    co_await expect_status(admin, "DELETE", "/v1/tenants/" + member.id + "/api-keys/" + member.key_id, 204);
    co_await expect_status(admin, "DELETE", "/v1/tenants/" + member.id, 204);
}

awaitable<void> change_tenants(Churn& churn, std::size_t step)
{
    HttpClient admin = churn.world.admin();
    const Member member = co_await join(admin, fmt::format("churn {}", step), {"domains:read", "domains:write"});
    HttpClient own{churn.world.io(), churn.world.port(), member.key};
    const std::string domain = fmt::format("churn{}.{}", step, kZone);
    co_await own.json("POST", "/v1/domains", json::serialize(json::object{{"name", domain}}));
    co_await admin.json("PATCH", "/v1/tenants/" + member.id, R"({"weight":2})");
    co_await own.json("GET", "/v1/domains/" + domain, "");
    co_await expect_status(own, "DELETE", "/v1/domains/" + domain, 204);
    co_await leave(admin, member);
}

awaitable<void> change_settings(Churn& churn, std::size_t step)
{
    HttpClient admin = churn.world.admin();
    const std::string pool = fmt::format("churn-{}", step);
    const std::size_t number = kSourceAside + step % 1'000;
    co_await admin.json("POST", "/v1/pools", json::serialize(json::object{{"name", pool}}));
    const json::object source{
        {"address", source_address(number)}, {"ehlo_name", source_host(number)}, {"pool", pool}, {"node", kNode}};
    const std::string id = text_at(co_await admin.json("POST", "/v1/sources", json::serialize(source)), "id");
    co_await expect_status(admin, "DELETE", "/v1/sources/" + id, 204);
    co_await expect_status(admin, "DELETE", "/v1/pools/" + pool, 204);
}

awaitable<void> change_campaigns(Churn& churn, std::size_t step)
{
    const BenchTenant& tenant = churn.world.tenants()[step % churn.world.tenants().size()];
    HttpClient api = churn.world.client_of(tenant);
    const std::string text = letter(tenant.domain, {.size = 2'000, .mark = fmt::format("cancelled {}", step)});
    json::value body = json::parse(batch_body(text, false, kAside + step * kCampaign, kCampaign, churn.domains));
    body.as_object()["not_before"] = to_rfc3339(wall_now() + kPutOff);
    const std::string batch = text_at(co_await api.json("POST", "/v1/batches", json::serialize(body)), "id");
    co_await api.json("POST", "/v1/batches/" + batch + "/cancel", "{}");
}

awaitable<void> change_suppressions(Churn& churn, std::size_t step)
{
    HttpClient admin = churn.world.admin();
    const Member member =
        co_await join(admin, fmt::format("list {}", step), {"suppressions:read", "suppressions:write"});
    HttpClient own{churn.world.io(), churn.world.port(), member.key};
    const std::string address = recipient_address(kAside + step, churn.domains);
    const json::object wanted{{"address", address}, {"reason", "asked by phone"}};
    co_await own.json("POST", "/v1/suppressions", json::serialize(wanted));
    co_await own.json("GET", "/v1/suppressions?limit=10", "");
    co_await expect_status(own, "DELETE", "/v1/suppressions/" + address, 204);
    co_await leave(admin, member);
}

awaitable<void> read_lists(Churn& churn, std::size_t step)
{
    HttpClient api = churn.world.client_of(churn.world.tenants()[step % churn.world.tenants().size()]);
    for (const char* target : {"/v1/batches?limit=100", "/v1/events?limit=100", "/v1/domains"})
        co_await api.json("GET", target, "");
}

using Step = awaitable<void> (*)(Churn&, std::size_t);

awaitable<void> repeat(Churn& churn, std::string kind, Step step)
{
    asio::steady_timer timer{churn.world.io()};
    std::size_t& done = churn.steps[kind];
    while (churn.running) {
        co_await step(churn, done);
        ++done;
        timer.expires_after(kPause);
        co_await timer.async_wait(use_result);
    }
}

} // namespace

std::vector<awaitable<void>> churners(Churn& churn)
{
    std::vector<awaitable<void>> all;
    all.push_back(repeat(churn, "tenants", &change_tenants));
    all.push_back(repeat(churn, "settings", &change_settings));
    all.push_back(repeat(churn, "campaigns", &change_campaigns));
    all.push_back(repeat(churn, "suppressions", &change_suppressions));
    all.push_back(repeat(churn, "lists", &read_lists));
    return all;
}

} // namespace penguin::bench
