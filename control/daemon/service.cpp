#include "control/daemon/service.h"

#include <atomic>
#include <future>
#include <stdexcept>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>

#include "control/api/deps.h"
#include "control/api/routes.h"
#include "control/audit/audit_log.h"
#include "control/auth/credential_authenticator.h"
#include "control/auth/jwks_file.h"
#include "control/auth/pg_api_keys.h"
#include "control/content_store/content_store.h"
#include "control/daemon/config_rules.h"
#include "control/daemon/part_options.h"
#include "control/daemon/pool_workers.h"
#include "control/daemon/rules_commands.h"
#include "control/daemon/secrets.h"
#include "control/fetch/https_fetch.h"
#include "control/fetch/jwks_url.h"
#include "control/settings/pause_keeper.h"
#include "control/settings/snapshot.h"
#include "control/submit/acceptance.h"
#include "control/submit/backlog.h"
#include "control/submit/campaign_sweep.h"
#include "control/warmup/warmup_keeper.h"
#include "engine/base/log.h"

namespace penguin::control {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::seconds kBeat{1};
constexpr std::chrono::seconds kAdminKeyPause{5}; // PostgreSQL is away at the first start
constexpr std::chrono::seconds kHttpGrace{5};     // requests in progress when we stop
constexpr std::chrono::seconds kAuditGrace{3};    // for the last records when we stop
constexpr const char* kReturnPathLabel = "return-path";

// What can fail before anything runs.
struct Opened {
    dkim::MasterKey master;
    std::shared_ptr<KeySet> keys; // null: API keys only, or by URL
    std::string identity;
    api::DomainPolicy domains;
    policy::RuleFile rules; // of this node: shipped, and the operator's file over them
};

Result<api::DomainPolicy> domain_policy(const DomainsConfig& config, const NodeName& node)
{
    const Result<DomainName> bounce_mx = DomainName::parse(config.bounce_mx.empty() ? node.value() : config.bounce_mx);
    if (!bounce_mx) return fail(bounce_mx.error(), "domains.bounce_mx (its default is the host name)");
    api::DomainPolicy policy{
        .bounce_label = config.bounce_label, .bounce_mx = *bounce_mx, .spf_include = {}, .dmarc_reports = {}};
    if (!config.spf_include.empty()) policy.spf_include = DomainName::parse(config.spf_include).value();
    if (!config.dmarc_reports.empty()) policy.dmarc_reports = EmailAddress::parse(config.dmarc_reports).value();
    return policy;
}

Error wrong_rules(const policy::RuleProblems& problems)
{
    for (const policy::RuleProblem& problem : problems)
        log::error("daemon", "rules_wrong", {{"problem", policy::text_of(problem)}});
    return {Errc::bad_value, "delivery.rules_file: " + policy::text_of(problems.front())};
}

Result<policy::RuleFile> open_rules(const std::string& file)
{
    auto whole = load_rule_file(file);
    if (!whole) return std::unexpected{wrong_rules(whole.error())};
    const policy::RuleBook::Made book = policy::RuleBook::make(*whole, file);
    if (!book) return std::unexpected{wrong_rules(book.error())};
    return std::move(*whole);
}

Result<Opened> open_files(const Config& config, const StateDir& dir, const NodeName& node)
{
    Result<dkim::MasterKey> master = load_master_key(config.keys, dir);
    if (!master) return std::unexpected{master.error()};
    Result<api::DomainPolicy> domains = domain_policy(config.domains, node);
    if (!domains) return std::unexpected{domains.error()};
    Result<std::string> identity = state_identity(dir);
    if (!identity) return std::unexpected{identity.error()};
    Result<policy::RuleFile> rules = open_rules(config.delivery.rules_file);
    if (!rules) return std::unexpected{rules.error()};
    Opened opened{*master, nullptr, std::move(*identity), std::move(*domains), std::move(*rules)};
    if (config.auth.jwks_file.empty()) return opened;
    Result<JwksFile> jwks = JwksFile::load(config.auth.jwks_file, std::chrono::steady_clock::now());
    if (!jwks) return fail(jwks.error(), "auth.jwks_file");
    opened.keys = std::make_shared<JwksFile>(std::move(*jwks));
    return opened;
}

std::unique_ptr<dns::CaresResolver> open_resolver(const asio::any_io_executor& executor, const DnsConfig& config,
                                                  Registry& metrics)
{
    auto resolver = dns::CaresResolver::open(executor, resolver_options(config), metrics);
    if (!resolver) throw std::runtime_error{"dns: " + resolver.error().detail};
    return std::move(*resolver);
}

std::unique_ptr<fetch::HttpsFetch> open_fetch(dns::Resolver& resolver, const AuthConfig& auth)
{
    if (auth.jwks_url.empty()) return nullptr;
    fetch::HttpsFetch::Options options;
    options.ports = {fetch::FetchUrl::parse(auth.jwks_url)->port}; // whoever configures us may name any
    options.authorities = auth.jwks_ca_file;
    return std::make_unique<fetch::HttpsFetch>(resolver, target_rule(auth.jwks_allow_targets), std::move(options));
}

std::shared_ptr<fetch::JwksUrl> open_jwks_url(fetch::HttpsFetch* fetch, const AuthConfig& auth, Registry& metrics)
{
    if (fetch == nullptr) return nullptr;
    auto get = [fetch, url = *fetch::FetchUrl::parse(auth.jwks_url)] { return fetch->get(url); };
    return std::make_shared<fetch::JwksUrl>(fetch::JwksUrl::Options{.get = std::move(get), .name = auth.jwks_url},
                                            metrics);
}

} // namespace

struct Service::Parts {
    Parts(const Config& chosen, const StateDir& state_dir, const NodeName& node, bool crashed, Opened opened,
          Registry& registry)
        : config{chosen},
          dir{state_dir},
          metrics{registry},
          master{opened.master},
          api_database{io.get_executor(), tier_dsns(config.database, dir, DatabaseRole::api),
                       pool_options(config.database), metrics},
          worker_database{io.get_executor(), tier_dsns(config.database, dir, DatabaseRole::worker),
                          pool_options(config.database), metrics},
          redis{io.get_executor(), redis_options(config.redis, dir)},
          pools{{.executor = io.get_executor(),
                 .redis = redis,
                 .worker = worker_database,
                 .keep_content = [this](TenantId tenant, ContentId id) { return contents.keep(tenant, std::move(id)); },
                 .on_enqueued = [this] { engine->wake(); },
                 .metrics = metrics},
                queue_options(config, node, opened.identity)},
          resolver{open_resolver(io.get_executor(), config.dns, metrics)},
          signer{master, signer_options(config.dkim), io.get_executor(), *resolver, metrics},
          return_path{master.derive(kReturnPathLabel)},
          contents{io.get_executor(), worker_database.content, &pools.queue(PoolName{"default"}), metrics},
          rules{std::move(opened.rules), metrics},
          snapshots{worker_database.control, snapshot_options(node), rules,
                    [this](const Snapshot& snapshot) { publish(snapshot); }, metrics},
          pauses{io.get_executor(), worker_database.control, node, [this] { snapshots.wake(); }, metrics},
          backlog{worker_database.queue, config.delivery.backlog_max, metrics},
          acceptance{api_database, slow_work.get_executor(), [this] { pools.wake(); }, metrics, &backlog},
          campaigns{worker_database, [this](const PoolName& pool) -> queue::SendQueue& { return pools.queue(pool); },
                    metrics},
          warmups{worker_database, node,
                  [this](SourceId source, policy::Day day, queue::WarmupCounts counts) {
                      engine->warmup_counted(source, day, std::move(counts));
                  },
                  [this] { snapshots.wake(); }, metrics},
          api_keys{api_database.control},
          audit{api_database.control, metrics},
          https{open_fetch(*resolver, config.auth)},
          jwks_url{open_jwks_url(https.get(), config.auth, metrics)},
          authenticator{api_keys,
                        {.hash_key = master.derive(kApiKeyHashLabel),
                         .jwks = jwks_url ? jwks_url : std::move(opened.keys),
                         .rules = jwt_rules()},
                        audit,
                        metrics},
          deps{.database = api_database,
               .acceptance = acceptance,
               .master = master,
               .resolver = *resolver,
               .rules = rules,
               .workers = slow_work.get_executor(),
               .metrics = metrics,
               .domains = std::move(opened.domains),
               .cancel_batch = [this](TenantId tenant, BatchId batch) { return pools.cancel(tenant, batch); },
               .reconcile = [this](PoolName pool, bool accept) { return pools.reconcile(std::move(pool), accept); },
               .standing = [this](const PoolName& pool, TenantId tenant) { return pools.queue(pool).standing(tenant); },
               .settings_may_have_changed = [this] { snapshots.wake(); },
               .alive = [this] { return health_of_loops(); },
               .ready = [this] { return health_of_everything(); }},
          server{io.get_executor(), router, authenticator, audit, metrics, server_limits(config.http)},
          engine{std::make_unique<delivery::Engine>(
              engine_options(config, node, dir, Uuid::v7(wall_now()).text(), crashed),
              delivery::EngineParts{.contents = contents,
                                    .signer = signer,
                                    .return_path = return_path,
                                    .metrics = metrics,
                                    .share_pause = [this](policy::Pause pause) { pauses.add(std::move(pause)); }},
              std::make_shared<const delivery::Settings>())}
    {
        api::register_routes(router, deps);
        expose_engine();
    }

    SnapshotKeeper::Options snapshot_options(const NodeName& node) const
    {
        return {.node = node,
                .folder = dir.path(),
                .limits = {.connections = config.delivery.connections_per_lane,
                           .site_connections = config.delivery.connections_per_site,
                           .messages_per_connection = config.delivery.messages_per_connection,
                           .idle = config.delivery.idle}};
    }
    JwtRules jwt_rules() const { return {.issuer = config.auth.issuer, .audience = config.auth.audience}; }

    // Runs a coroutine on the control thread and waits for it here.
    template <class T>
    T on_control(awaitable<T> work)
    {
        return asio::co_spawn(io, std::move(work), asio::use_future).get();
    }

    void publish(const Snapshot& snapshot);
    void expose_engine();
    api::Health health_of_loops() const;
    api::Health health_of_everything() const;
    std::chrono::nanoseconds control_age() const { return boot_now() - std::chrono::nanoseconds{last_beat.load()}; }
    Result<> listen();
    Result<> listen_at(const ListenAddress& address);
    awaitable<void> beat();
    awaitable<bool> has_admin_key();
    awaitable<void> make_admin_key();
    awaitable<Result<>> begin();
    awaitable<bool> wind_down();

    const Config config;
    const StateDir dir;
    Registry& metrics;
    asio::io_context io{1};
    asio::executor_work_guard<asio::io_context::executor_type> keep_running{io.get_executor()};
    asio::thread_pool slow_work{2}; // RSA keys, large batches
    const dkim::MasterKey master;
    db::Database api_database;
    db::Database worker_database;
    queue::RedisConnection redis;
    PoolWorkers pools;
    std::unique_ptr<dns::CaresResolver> resolver;
    dkim::DkimSigner signer;
    const ReturnPath return_path;
    ContentStore contents;
    RulesInForce rules;
    SnapshotKeeper snapshots;
    PauseKeeper pauses;
    submit::Backlog backlog;
    submit::Acceptance acceptance;
    submit::CampaignSweep campaigns;
    WarmupKeeper warmups;
    PgApiKeys api_keys;
    audit::AuditLog audit;
    std::unique_ptr<fetch::HttpsFetch> https; // null with no jwks_url
    std::shared_ptr<fetch::JwksUrl> jwks_url; // the same
    CredentialAuthenticator authenticator;
    api::ApiDeps deps;
    http::Router router;
    http::Server server;
    std::unique_ptr<delivery::Engine> engine;
    std::shared_ptr<const delivery::Settings> settings = std::make_shared<const delivery::Settings>(); // control thread
    std::atomic<std::int64_t> last_beat{0}; // CLOCK_BOOTTIME, nanoseconds
    bool stopping = false;                  // control thread
    std::thread thread;
};

void Service::Parts::publish(const Snapshot& snapshot)
{
    signer.replace_keys(snapshot.keys);
    settings = snapshot.settings;
    pools.apply(*settings);
    engine->apply(settings);
}

void Service::Parts::expose_engine()
{
    Gauge& claiming = metrics.gauge("penguin_engine_claiming", "1 while the engine takes mail from the queue");
    Gauge& in_hand = metrics.gauge("penguin_engine_in_hand_messages", "Messages that this node holds claimed");
    Gauge& connections = metrics.gauge("penguin_engine_connections", "Open SMTP connections");
    metrics.on_expose([this, &claiming, &in_hand, &connections] {
        const delivery::EngineStatus status = engine->status();
        claiming.set(status.claiming ? 1 : 0);
        in_hand.set(static_cast<std::int64_t>(status.in_hand));
        connections.set(static_cast<std::int64_t>(status.connections));
    });
}

api::Health Service::Parts::health_of_loops() const
{
    const bool control = control_age() < kAliveMax;
    const bool delivery = engine->status().oldest_beat < kAliveMax;
    const auto word = [](bool right) { return right ? "ok" : "has not answered lately"; };
    return {.ok = control && delivery, .checks = {{"control", word(control)}, {"delivery", word(delivery)}}};
}

// Without a source of this node there is nothing to claim for, and that is no fault: the API has to work to create one.
api::Health Service::Parts::health_of_everything() const
{
    api::Health health = health_of_loops();
    const auto check = [&health](const char* name, bool right, const std::string& wrong) {
        health.checks[name] = right ? "ok" : wrong;
        return right;
    };
    const bool database = check("postgresql", api_database.healthy() && worker_database.healthy(), "cannot be reached");
    const bool staying = check("daemon", !stopping, "stopping");
    health.ok = health.ok && database && staying;
    check("redis", redis.connected(), "cannot be reached");
    check("rules", rules.trouble().empty(), rules.trouble());
    const delivery::EngineStatus status = engine->status();
    check("engine", status.claiming || settings->sources.empty(), status.why_not);
    return health;
}

awaitable<void> Service::Parts::beat()
{
    bool more = true;
    while (more) {
        last_beat = boot_now().count();
        more = co_await sleep_for(kBeat);
    }
}

awaitable<bool> Service::Parts::has_admin_key()
{
    const Result<bool> made =
        co_await ensure_admin_key(api_database.control, master.derive(kApiKeyHashLabel), dir, wall_now());
    if (!made) log::warning("daemon", "admin_key_not_checked", {{"why", made.error().detail}});
    co_return made.has_value();
}

awaitable<void> Service::Parts::make_admin_key()
{
    bool more = true;
    while (more) {
        const bool there = co_await has_admin_key();
        more = !there && co_await sleep_for(kAdminKeyPause);
    }
}

awaitable<Result<>> Service::Parts::begin()
{
    const auto executor = co_await asio::this_coro::executor;
    asio::co_spawn(executor, beat(), asio::detached);
    asio::co_spawn(executor, audit.run(), asio::detached);
    asio::co_spawn(executor, backlog.run(), asio::detached);
    if (jwks_url) asio::co_spawn(executor, jwks_url->run(), asio::detached);
    const Result<> first = co_await snapshots.start();
    if (!first) log::warning("daemon", "no_settings_yet", {{"why", first.error().detail}});
    asio::co_spawn(executor, snapshots.run(), asio::detached);
    asio::co_spawn(executor, campaigns.run(), asio::detached);
    asio::co_spawn(executor, pauses.run(), asio::detached);
    asio::co_spawn(executor, warmups.run(), asio::detached);
    // Who sees us ready, and the file with the key, may use it.
    const bool key_there = first && co_await has_admin_key();
    if (!key_there) asio::co_spawn(executor, make_admin_key(), asio::detached);
    co_return listen();
}

Result<> Service::Parts::listen()
{
    for (const std::string& text : config.http.listen) {
        const Result<ListenAddress> address = ListenAddress::parse(text);
        if (!address) return std::unexpected{address.error()};
        if (Result<> listening = listen_at(*address); !listening) return listening;
        log::info("daemon", "api_listens",
                  {{"at", text}, {"tls", !config.http.tls_cert.empty() && address->socket.empty()}});
    }
    return {};
}

Result<> Service::Parts::listen_at(const ListenAddress& address)
{
    if (!address.socket.empty()) return server.listen_unix(address.socket);
    const asio::ip::tcp::endpoint endpoint{address.address, address.port};
    const Result<std::uint16_t> port = config.http.tls_cert.empty()
                                           ? server.listen_clear(endpoint)
                                           : server.listen_tls(endpoint, {config.http.tls_cert, config.http.tls_key});
    if (!port) return std::unexpected{port.error()};
    return {};
}

// After the engine. True: Redis was there to the end, so the engine has given up the node's name.
awaitable<bool> Service::Parts::wind_down()
{
    snapshots.stop();
    pauses.stop();
    backlog.stop();
    campaigns.stop();
    warmups.stop();
    if (jwks_url) jwks_url->stop();
    co_await audit.stop(kAuditGrace);
    co_await pools.stop(kWindDownMax);
    const bool redis_there = redis.connected();
    api_database.close();
    worker_database.close();
    redis.close();
    co_return redis_there;
}

Service::Service(std::unique_ptr<Parts> parts) : parts_{std::move(parts)} {}

Service::~Service()
{
    if (parts_->thread.joinable()) stop(0s);
}

Result<std::unique_ptr<Service>> Service::make(const Config& config, const StateDir& dir, const NodeName& node,
                                               bool crashed_before, Registry& metrics)
{
    Result<Opened> opened = open_files(config, dir, node);
    if (!opened) return std::unexpected{opened.error()};
    try {
        auto parts = std::make_unique<Parts>(config, dir, node, crashed_before, std::move(*opened), metrics);
        return std::unique_ptr<Service>{new Service{std::move(parts)}};
    } catch (const std::exception& thrown) { // a part whose options cannot be met on this machine
        return fail(Errc::bad_value, thrown.what());
    }
}

Result<> Service::start()
{
    Parts& parts = *parts_;
    parts.last_beat = boot_now().count();
    parts.thread = std::thread{[&parts] { parts.io.run(); }};
    parts.engine->start();
    return parts.on_control(parts.begin());
}

void Service::say_stopping()
{
    asio::post(parts_->io, [parts = parts_.get()] { parts->stopping = true; });
}

bool Service::stop(std::chrono::seconds grace)
{
    Parts& parts = *parts_;
    say_stopping();
    parts.on_control(parts.server.stop(kHttpGrace));
    parts.engine->stop(grace);
    const bool redis_there = parts.on_control(parts.wind_down());
    parts.slow_work.join();
    parts.keep_running.reset();
    parts.io.stop();
    parts.thread.join();
    return redis_there;
}

bool Service::alive() const
{
    return parts_->control_age() < kAliveMax && parts_->engine->status().oldest_beat < kAliveMax;
}

} // namespace penguin::control
