#include "bench/harness/world.h"

#include <algorithm>
#include <charconv>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

namespace penguin::bench {

namespace {

namespace json = boost::json;

constexpr const char* kWarmPool = "warm";
constexpr std::size_t kSideBySide = 4; // calls while the world is made

// Where something will listen on the port of SMTP.
std::vector<std::string> smtp_addresses(const WorldOptions& options)
{
    std::vector<std::string> addresses;
    for (std::size_t site = 0; site < options.sites; ++site) {
        addresses.push_back(site_address(site));
        if (options.round_trip) addresses.push_back(relayed_address(site));
    }
    return addresses;
}

std::unique_ptr<RelayProcess> relay_of(Patience& patience, const std::filesystem::path& folder,
                                       const WorldOptions& options, std::uint16_t port)
{
    if (!options.round_trip) return nullptr;
    return std::make_unique<RelayProcess>(
        patience, folder,
        RelayProcess::Options{.sites = options.sites, .port = port, .round_trip = *options.round_trip});
}

std::string text_at(const json::value& value, std::string_view field)
{
    return std::string{value.as_object().at(field).as_string()};
}

std::string zone_line(const json::value& record)
{
    const std::string name = text_at(record, "name");
    const std::string value = text_at(record, "value");
    if (text_at(record, "type") == "TXT") return txt_record(name, value);
    return fmt::format("{}. MX {}.\n", name, value);
}

json::array tenant_scopes()
{
    return {"domains:read", "domains:write", "batches:read", "batches:write", "messages:read", "events:read"};
}

// Calls `each(0 .. count - 1)`, kSideBySide at a time.
template <class Each>
void for_each_number(asio::io_context& io, Patience& patience, std::size_t count, Each each)
{
    std::size_t next = 0;
    std::vector<awaitable<void>> workers;
    const std::size_t most = std::min(kSideBySide, count);
    workers.reserve(most);
    for (std::size_t i = 0; i < most; ++i)
        workers.push_back([](std::size_t& mine, std::size_t end, Each& work) -> awaitable<void> {
            while (mine < end) co_await work(mine++);
        }(next, count, each));
    run_all(io, patience, std::move(workers));
}

} // namespace

World::World(Patience& patience, const WorldOptions& options)
    : patience_{patience},
      options_{options},
      folder_{options.work},
      smtp_port_{free_port(smtp_addresses(options))},
      receivers_{patience,
                 folder_.path() / "sink",
                 {.sites = options.sites,
                  .port = smtp_port_,
                  .threads = options.sink_threads,
                  .tls = options.tls,
                  .pipelining = options.pipelining,
                  .chunking = options.chunking,
                  .relayed = options.round_trip.has_value(),
                  .log = options.sink_log ? sink_log().string() : "",
                  .more = options.sink_options,
                  .pace = options.pace}},
      relay_{relay_of(patience, folder_.path() / "relay", options, smtp_port_)},
      nameserver_{folder_.path() / "dns", free_port({"127.0.0.1"})},
      daemon_{patience,
              folder_.path() / "mta",
              {.program = options.daemon,
               .name_server = nameserver_.address(),
               .smtp_port = smtp_port_,
               .shards = options.shards,
               .connections = options.connections,
               .messages_per_connection = options.messages_per_connection,
               .site_connections = options.site_connections,
               .redis_mb = options.redis_mb,
               .backlog_max = options.backlog_max,
               .rules = options.rules,
               .starttls = options.tls}},
      redis_{patience, daemon_.redis_socket(), folder_.path()}
{
    make_tenants();
}

void World::make_tenants()
{
    HttpClient api = admin();
    std::vector<const char*> names{kBenchPool};
    if (options_.warm) names.push_back(kWarmPool);
    for (const char* name : names) {
        const json::object pool{{"name", name}};
        run(io_, patience_, api.json("POST", "/v1/pools", json::serialize(pool)));
    }
    tenants_.resize(options_.tenants + (options_.warm ? 1 : 0));
    for_each_number(io_, patience_, tenants_.size(), [this](std::size_t number) { return make_tenant(number); });
    std::string spf = "v=spf1";
    std::string hosts;
    for (std::size_t source = 0; source <= options_.sources; ++source) { // and the warm pool's
        spf += source < 100 ? " ip4:" + source_address(source) : "";
        hosts += fmt::format("{}. A {}\n", source_host(source), source_address(source));
    }
    nameserver_.start(patience_, mx_records(options_.domains, options_.sites) + hosts +
                                     txt_record(fmt::format("spf.{}", kZone), spf + " -all") + records_);
    for_each_number(io_, patience_, tenants_.size(), [this](std::size_t number) { return verify(number); });
}

awaitable<void> World::make_tenant(std::size_t number)
{
    BenchTenant& tenant = tenants_[number];
    tenant.domain = sender_domain(number);
    HttpClient platform = admin();
    const char* pool = number < options_.tenants ? kBenchPool : kWarmPool;
    const json::object wanted{{"name", "tenant " + std::to_string(number)}, {"pool", pool}};
    tenant.id = text_at(co_await platform.json("POST", "/v1/tenants", json::serialize(wanted)), "id");
    const json::object key{{"name", "bench"}, {"scopes", tenant_scopes()}};
    tenant.key =
        text_at(co_await platform.json("POST", "/v1/tenants/" + tenant.id + "/api-keys", json::serialize(key)), "key");
    HttpClient own = client_of(tenant);
    const json::object domain{{"name", tenant.domain}, {"ed25519", options_.ed25519}};
    const json::value made = co_await own.json("POST", "/v1/domains", json::serialize(domain));
    for (const json::value& record : made.as_object().at("records").as_array()) records_ += zone_line(record);
}

awaitable<void> World::verify(std::size_t number)
{
    HttpClient own = client_of(tenants_[number]);
    const json::value result = co_await own.json("POST", "/v1/domains/" + tenants_[number].domain + "/verify", "{}");
    if (!result.as_object().at("verified").as_bool())
        throw BenchError{tenants_[number].domain + " is not verified: " + json::serialize(result)};
}

std::string World::make_source(std::size_t number, const char* pool)
{
    HttpClient api = admin();
    const json::object source{
        {"address", source_address(number)}, {"ehlo_name", source_host(number)}, {"pool", pool}, {"node", kNode}};
    return text_at(run(io_, patience_, api.json("POST", "/v1/sources", json::serialize(source))), "id");
}

void World::release()
{
    for (std::size_t number = 0; number < options_.sources; ++number) make_source(number, kBenchPool);
}

void World::release_warm() { warm_source_ = make_source(options_.sources, kWarmPool); }

void World::release_to_queue()
{
    redis_.hold(kBenchPool, kNode);
    release();
}

void World::let_go()
{
    redis_.let_go(kBenchPool, kNode);
    HttpClient api = admin();
    // New settings: the daemon tries at once whether it has its name back.
    const HttpAnswer answer = run(io_, patience_, api.call("DELETE", "/v1/sources/" + warm_source_, ""));
    if (answer.status != 204) throw BenchError{"the warm pool's source was not deleted: " + answer.body};
}

RedisMemory World::redis_memory() { return redis_.memory(); }

void World::wait_for_arrivals(std::uint64_t messages)
{
    patience_.reach(messages, "messages at the sinks", [this] { return receivers_.messages(patience_); });
}

Snapshot World::look() const
{
    Roots roots;
    roots.pids[kDaemon] = {daemon_.pid()};
    roots.pids[kSink] = {receivers_.pid()};
    if (relay_) roots.pids[kRelay] = {relay_->pid()};
    roots.pids[kDns] = {nameserver_.pid()};
    return look_at(roots);
}

double World::metric(const std::string& name)
{
    HttpClient api{io_, daemon_.port(), ""};
    return metric_in(run(io_, patience_, api.call("GET", "/metrics", "")).body, name);
}

double metric_in(std::string_view exposition, std::string_view name)
{
    double sum = 0;
    while (!exposition.empty()) {
        const std::size_t end = std::min(exposition.find('\n'), exposition.size());
        const std::string_view line = exposition.substr(0, end);
        exposition.remove_prefix(std::min(end + 1, exposition.size()));
        if (!line.starts_with(name) || line.size() == name.size()) continue;
        if (const char next = line[name.size()]; next != ' ' && next != '{') continue;
        const std::string_view number = line.substr(line.rfind(' ') + 1);
        double value = 0;
        if (std::from_chars(number.data(), number.data() + number.size(), value).ec == std::errc{}) sum += value;
    }
    return sum;
}

} // namespace penguin::bench
