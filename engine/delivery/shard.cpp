#include "engine/delivery/shard.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "engine/base/log.h"

namespace penguin::delivery {

namespace {

constexpr std::chrono::seconds kBeat{1};

} // namespace

Shard::Shard(Options options, MessageMaker& maker, std::shared_ptr<const Settings> settings)
    : options_{std::move(options)},
      session_{.timeouts = options_.timeouts, .starttls = options_.starttls, .tls = &tls_},
      settings_{std::move(settings)},
      offered_{io_.get_executor(), [this](JobPtr job) { lane_for(*job).offer(std::move(job)); }},
      told_{io_.get_executor(),
            [](const UntoldPtr& untold) {
                untold->told = true;
                untold->changed.cancel();
            }},
      context_{
          .executor = io_.get_executor(),
          .maker = maker,
          .session = session_,
          .smtp_port = options_.smtp_port,
          .lease_holds = options_.lease_holds,
          .finish = options_.finish,
          .tell = [this](UntoldPtr untold) { told_.put(std::move(untold)); },
          .settings = [this] { return settings_; },
          .connections_changed = [this](std::ptrdiff_t by) { connections_.fetch_add(static_cast<std::size_t>(by)); },
          .random = random_}
{
}

Shard::~Shard() { stop(); }

void Shard::start()
{
    last_beat_ = boot_now().count();
    asio::co_spawn(io_, sweep(), asio::detached);
    thread_ = std::thread{[this] { io_.run(); }};
}

void Shard::offer(JobPtr job) { offered_.put(std::move(job)); }

void Shard::apply(std::shared_ptr<const Settings> settings)
{
    asio::post(io_, [this, settings = std::move(settings)]() mutable {
        settings_ = std::move(settings);
        for (const auto& [key, lane] : lanes_) lane->settings_changed();
    });
}

void Shard::stop_lanes()
{
    asio::post(io_, [this] {
        stopping_ = true;
        for (const auto& [key, lane] : lanes_) lane->stop();
    });
}

void Shard::cut_lanes()
{
    asio::post(io_, [this] {
        for (const auto& [key, lane] : lanes_) lane->cut();
    });
}

void Shard::stop()
{
    if (!thread_.joinable()) return;
    work_.reset();
    io_.stop();
    thread_.join();
}

Lane& Shard::lane_for(const Job& job)
{
    const SiteName& site = (*job.route)->site;
    std::shared_ptr<Lane>& lane = lanes_[LaneKey{site, job.source->id}];
    if (!lane) {
        std::shared_ptr<SiteLoad> load = sites_[site].lock();
        if (!load) sites_[site] = load = std::make_shared<SiteLoad>();
        lane = std::make_shared<Lane>(context_, *job.source, (*job.route)->hosts.front().name, std::move(load));
        if (stopping_) lane->stop();
    }
    return *lane;
}

// Forgets lanes without work, and shows that the loop turns.
awaitable<void> Shard::sweep()
{
    bool more = true;
    while (more) {
        last_beat_ = boot_now().count();
        std::erase_if(lanes_, [](const auto& entry) { return entry.second->unused(); });
        std::erase_if(sites_, [](const auto& entry) { return entry.second.expired(); });
        more = co_await sleep_for(kBeat);
    }
}

} // namespace penguin::delivery
