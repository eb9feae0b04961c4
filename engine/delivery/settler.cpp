#include "engine/delivery/settler.h"

#include <algorithm>
#include <iterator>

#include "engine/base/log.h"

namespace penguin::delivery {

namespace {

constexpr std::chrono::milliseconds kRetryPause{500};

// The first `count` of them, taken out.
template <class Value>
std::vector<Value> take(std::vector<Value>& from, std::size_t count)
{
    const auto last = from.begin() + static_cast<std::ptrdiff_t>(std::min(count, from.size()));
    std::vector<Value> taken{std::make_move_iterator(from.begin()), std::make_move_iterator(last)};
    from.erase(from.begin(), last);
    return taken;
}

template <class Value>
void put_back(std::vector<Value>& into, std::vector<Value> values)
{
    into.insert(into.begin(), std::make_move_iterator(values.begin()), std::make_move_iterator(values.end()));
}

} // namespace

Settler::Settler(const asio::any_io_executor& executor, queue::SendQueue& queue, Registry& metrics,
                 std::function<void(const queue::Token&)> gone)
    : queue_{queue},
      gone_{std::move(gone)},
      settled_{metrics.counter("penguin_queue_settled_total", "Outcomes told to Redis.")},
      late_{metrics.counter("penguin_queue_late_total", "Outcomes of entries that another node had taken over.")},
      failed_calls_{metrics.counter("penguin_queue_settle_failures_total", "Calls to Redis that had to be repeated.")},
      wake_{executor}
{
}

void Settler::settle(queue::Settlement settlement)
{
    held_.insert(settlement.token);
    settlements_.push_back(std::move(settlement));
    arrived();
}

void Settler::release(queue::Token token, std::optional<WallTime> avoid_until)
{
    held_.insert(token);
    releases_.push_back({std::move(token), avoid_until});
    arrived();
}

void Settler::park(queue::Token token, std::string place)
{
    held_.insert(token);
    parkings_.push_back({std::move(token), std::move(place)});
    arrived();
}

std::size_t Settler::waiting() const { return held_.size(); }

void Settler::arrived()
{
    if (const std::size_t count = waiting(); count == 1 || count == kFlushCount) wake_.cancel();
}

void Settler::stop(SteadyTime give_up)
{
    stopping_ = true;
    give_up_ = give_up;
    wake_.cancel();
}

bool Settler::over() const { return stopping_ && (waiting() == 0 || std::chrono::steady_clock::now() >= give_up_); }

awaitable<void> Settler::woken_by(SteadyTime latest)
{
    wake_.expires_at(latest);
    co_await wake_.async_wait(use_result);
}

awaitable<void> Settler::run()
{
    bool busy = false;
    while (!over()) {
        if (waiting() == 0 && !stopping_) co_await woken_by(SteadyTime::max());
        if (busy && waiting() < kFlushCount && !stopping_)
            co_await woken_by(std::chrono::steady_clock::now() + kFlushAfter);
        busy = settlements_.size() >= kBusyCount;
        const bool settled = co_await flush_settlements();
        const bool parked = co_await flush_parkings();
        const bool released = co_await flush_releases();
        if (settled && parked && released) continue;
        failed_calls_.add();
        co_await sleep_for(kRetryPause);
    }
}

awaitable<bool> Settler::flush_settlements()
{
    while (!settlements_.empty()) {
        std::vector<queue::Settlement> batch = take(settlements_, kCallMax);
        const Result<queue::SettleReport> report = co_await queue_.settle(batch);
        if (!report && report.error().code != Errc::stale) {
            log::warning("delivery", "settle_failed", {{"outcomes", batch.size()}, {"why", report.error().detail}});
            put_back(settlements_, std::move(batch));
            co_return false;
        }
        if (report) {
            settled_.add(report->settled);
            late_.add(report->late);
        }
        std::vector<queue::Token> tokens;
        tokens.reserve(batch.size());
        for (queue::Settlement& one : batch) tokens.push_back(std::move(one.token));
        told(tokens);
    }
    co_return true;
}

awaitable<bool> Settler::flush_parkings()
{
    while (!parkings_.empty()) {
        std::vector<queue::Parking> batch = take(parkings_, kCallMax);
        const Result<std::size_t> parked = co_await queue_.park(batch);
        if (!parked && parked.error().code != Errc::stale) {
            put_back(parkings_, std::move(batch));
            co_return false;
        }
        std::vector<queue::Token> tokens;
        tokens.reserve(batch.size());
        for (queue::Parking& one : batch) tokens.push_back(std::move(one.token));
        told(tokens);
    }
    co_return true;
}

// One call for each time until which they are avoided: nearly always there is one.
awaitable<bool> Settler::flush_releases()
{
    while (!releases_.empty()) {
        const std::optional<WallTime> until = releases_.front().avoid_until;
        const auto same = [&](const Release& release) { return release.avoid_until == until; };
        const auto others = std::partition(releases_.begin(), releases_.end(), same);
        std::vector<Release> batch = take(releases_, static_cast<std::size_t>(others - releases_.begin()));
        std::vector<queue::Token> tokens;
        tokens.reserve(batch.size());
        for (const Release& release : batch) tokens.push_back(release.token);
        const Result<std::size_t> released = co_await queue_.release(tokens, until);
        if (!released && released.error().code != Errc::stale) {
            put_back(releases_, std::move(batch));
            co_return false;
        }
        told(tokens);
    }
    co_return true;
}

void Settler::told(const std::vector<queue::Token>& tokens)
{
    for (const queue::Token& token : tokens) {
        held_.erase(token);
        gone_(token);
    }
}

} // namespace penguin::delivery
