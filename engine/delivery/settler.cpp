#include "engine/delivery/settler.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include <boost/asio/post.hpp>

#include "engine/base/crash_point.h"
#include "engine/base/log.h"

namespace penguin::delivery {

namespace {

constexpr std::chrono::milliseconds kRetryPause{500};
constexpr std::chrono::milliseconds kCallPoll{5}; // a call in progress ends within its deadline

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

Settler::Settler(const asio::any_io_executor& executor, queue::SendQueue& queue, queue::Journal& journal,
                 Registry& metrics, std::function<void(const queue::Token&)> gone)
    : queue_{queue},
      journal_{journal},
      gone_{std::move(gone)},
      settled_{metrics.counter("penguin_queue_settled_total", "Outcomes told to Redis.")},
      late_{metrics.counter("penguin_queue_late_total", "Outcomes of entries that another node had taken over.")},
      failed_calls_{metrics.counter("penguin_queue_settle_failures_total", "Calls to Redis that had to be repeated.")},
      told_again_{metrics.counter("penguin_journal_told_again_total", "Outcomes of the journal that Redis had not.")},
      unwritten_{
          metrics.counter("penguin_journal_unwritten_total", "Outcomes that could not be written to the journal.")},
      executor_{executor},
      wake_{executor}
{
}

void Settler::settle(const queue::Settlement& settlement)
{
    held_.insert(settlement.token);
    settlements_.push_back(queue::written(settlement));
    ++to_write_;
    if (!std::exchange(write_posted_, true)) asio::post(executor_, [this] { write_journal(); });
    arrived();
}

// Once for all that came in one pass of the loop.
void Settler::write_journal()
{
    write_posted_ = false;
    if (to_write_ == 0) return;
    crash_point("delivery.journal.before");
    const auto fresh = std::span{settlements_}.last(std::exchange(to_write_, 0));
    const Result<> written = journal_.append(fresh);
    if (!written) {
        unwritten_.add(fresh.size());
        log::error("delivery", "journal_not_written", {{"outcomes", fresh.size()}, {"why", written.error().detail}});
    }
    crash_point("delivery.journal.after");
}

void Settler::release(queue::Token token, std::optional<WallTime> avoid_until)
{
    held_.insert(token);
    // Times that are nearly the same are one, so that they go in one call.
    if (avoid_until) avoid_until = std::chrono::ceil<std::chrono::duration<std::int64_t, std::deci>>(*avoid_until);
    releases_.push_back({std::move(token), avoid_until});
    arrived();
}

void Settler::park(queue::Token token, std::string place)
{
    held_.insert(token);
    parkings_.push_back({std::move(token), std::move(place)});
    arrived();
}

void Settler::postpone(queue::Token token, WallTime until)
{
    held_.insert(token);
    postponings_.push_back({std::move(token), until});
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
        if (paused_) {
            co_await woken_by(std::chrono::steady_clock::now() + kRetryPause);
            continue;
        }
        if (waiting() == 0 && !stopping_) co_await woken_by(SteadyTime::max());
        if (busy && waiting() < kFlushCount && !stopping_)
            co_await woken_by(std::chrono::steady_clock::now() + kFlushAfter);
        busy = settlements_.size() >= kBusyCount;
        const bool settled = co_await flush_settlements();
        const bool parked = co_await flush_parkings();
        const bool postponed = co_await flush_postponings();
        const bool released = co_await flush_releases();
        if (settled && parked && postponed && released) continue;
        failed_calls_.add();
        co_await sleep_for(kRetryPause);
    }
}

void Settler::resume()
{
    paused_ = false;
    wake_.cancel();
}

// What we know of calls under way must be settled before the journal is read: outcomes are told in their order.
awaitable<Result<>> Settler::catch_up(std::uint64_t told, queue::StreamPosition stream_end)
{
    while (in_call_) co_await sleep_for(kCallPoll);
    write_journal();
    journal_.told(told, stream_end);
    again_through_ = journal_.last();
    const std::uint64_t here = settlements_.empty() ? again_through_ + 1 : settlements_.front().sequence;
    // A Redis that knows nothing of us has lost everything: what the ledger has needs no repair there.
    queue::Journal::Reader reader = journal_.read_after(told == 0 ? journal_.last_confirmed() : told);
    std::vector<queue::WrittenSettlement> batch;
    while (auto one = reader.next()) {
        if (one->sequence >= here) break;
        batch.push_back(std::move(*one));
        if (batch.size() < kCallMax) continue;
        if (Result<> done = co_await tell_again(batch); !done) co_return done;
        batch.clear();
    }
    if (!batch.empty()) co_return co_await tell_again(batch);
    co_return Result<>{};
}

awaitable<Result<>> Settler::tell_again(const std::vector<queue::WrittenSettlement>& batch)
{
    const Result<queue::SettleReport> report = co_await queue_.settle(batch, true);
    if (!report) co_return std::unexpected{report.error()};
    told_again_.add(batch.size());
    journal_.told(batch.back().sequence, report->position);
    co_return Result<>{};
}

awaitable<bool> Settler::flush_settlements()
{
    while (!settlements_.empty() && !paused_) {
        write_journal();
        std::vector<queue::WrittenSettlement> batch = take(settlements_, kCallMax);
        const bool again = batch.front().sequence <= again_through_;
        in_call_ = true;
        const Result<queue::SettleReport> report = co_await queue_.settle(batch, again);
        in_call_ = false;
        if (!report) {
            log::warning("delivery", "settle_failed", {{"outcomes", batch.size()}, {"why", report.error().detail}});
            put_back(settlements_, std::move(batch));
            co_return false;
        }
        settled_.add(report->settled);
        late_.add(report->late);
        journal_.told(batch.back().sequence, report->position);
        std::vector<queue::Token> tokens;
        tokens.reserve(batch.size());
        for (queue::WrittenSettlement& one : batch) tokens.push_back(std::move(one.token));
        told(tokens);
    }
    co_return true;
}

awaitable<bool> Settler::flush_parkings()
{
    while (!parkings_.empty() && !paused_) {
        std::vector<queue::Parking> batch = take(parkings_, kCallMax);
        const Result<std::size_t> parked = co_await queue_.park(batch);
        if (!parked) {
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

awaitable<bool> Settler::flush_postponings()
{
    while (!postponings_.empty() && !paused_) {
        std::vector<queue::Postponing> batch = take(postponings_, kCallMax);
        const Result<std::vector<queue::Token>> gone = co_await queue_.postpone(batch);
        if (!gone) {
            put_back(postponings_, std::move(batch));
            co_return false;
        }
        const std::unordered_set<queue::Token> went{gone->begin(), gone->end()};
        for (queue::Postponing& one : batch) // whose time it is by now may be claimed again
            if (!went.contains(one.token)) releases_.push_back({std::move(one.token), std::nullopt});
        told(*gone);
    }
    co_return true;
}

// One call for each time until which they are avoided: nearly always there is one.
awaitable<bool> Settler::flush_releases()
{
    while (!releases_.empty() && !paused_) {
        const std::optional<WallTime> until = releases_.front().avoid_until;
        const auto same = [&](const Release& release) { return release.avoid_until == until; };
        const auto others = std::partition(releases_.begin(), releases_.end(), same);
        std::vector<Release> batch = take(releases_, static_cast<std::size_t>(others - releases_.begin()));
        std::vector<queue::Token> tokens;
        tokens.reserve(batch.size());
        for (const Release& release : batch) tokens.push_back(release.token);
        const Result<std::size_t> released = co_await queue_.release(tokens, until);
        if (!released) {
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
