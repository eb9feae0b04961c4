// engine/delivery/settler.h
// Collects what became of claimed entries and tells Redis in few calls: settles, releases, parkings, postponings.
//
//   flush    at once, because lanes wait for it before their next body; but when the last flush had kBusyCount outcomes or
//            more, at kFlushCount, or kFlushAfter the first one came
//   failure  a call that failed is repeated until it does not; also one that Redis refused, since what it refuses passes
//            (LOADING, READONLY, MISCONF) and to forget an outcome is to send the message again. Meanwhile the entries
//            stay in our hand, so that the dispatcher's window bounds what waits here
//   journal  an outcome is written to the node's journal in the pass of the loop in which it comes, before Redis is told
//   pause    while our name in Redis is in doubt nothing is told. Then `catch_up` tells what the journal has and Redis has
//            not, in its order, and `resume` goes on with what came meanwhile
//   threads  the dispatcher's
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "engine/base/metrics.h"
#include "engine/queue/journal.h"
#include "engine/queue/send_queue.h"

namespace penguin::delivery {

class Settler {
public:
    static constexpr std::size_t kFlushCount = 100; // outcomes
    static constexpr std::size_t kBusyCount = 4;    // outcomes of the last flush
    static constexpr std::chrono::milliseconds kFlushAfter{2};
    static constexpr std::size_t kCallMax = 500; // outcomes of one call

    // `gone` is called with each token that Redis has taken from our hand.
    Settler(const asio::any_io_executor& executor, queue::SendQueue& queue, queue::Journal& journal, Registry& metrics,
            std::function<void(const queue::Token&)> gone);

    void settle(const queue::Settlement& settlement);
    void release(queue::Token token, std::optional<WallTime> avoid_until);
    void park(queue::Token token, std::string place);
    void postpone(queue::Token token, WallTime until);

    void pause() { paused_ = true; }
    void resume();
    // While paused, after a join. Errors: those of SendQueue::settle; then it may be called again.
    awaitable<Result<>> catch_up(std::uint64_t told, queue::StreamPosition stream_end);

    // Runs until `stop`; then ends once everything is told, or at `give_up`.
    awaitable<void> run();
    void stop(SteadyTime give_up);
    // Tokens whose fate is decided but not told yet.
    bool holds(const queue::Token& token) const { return held_.contains(token); }

private:
    struct Release {
        queue::Token token;
        std::optional<WallTime> avoid_until;
    };
    std::size_t waiting() const;
    void arrived();
    void write_journal();
    awaitable<Result<>> tell_again(const std::vector<queue::WrittenSettlement>& batch);
    awaitable<void> woken_by(SteadyTime latest);
    awaitable<bool> flush_settlements();
    awaitable<bool> flush_releases();
    awaitable<bool> flush_parkings();
    awaitable<bool> flush_postponings();
    void told(const std::vector<queue::Token>& tokens);
    bool over() const;

    queue::SendQueue& queue_;
    queue::Journal& journal_;
    std::function<void(const queue::Token&)> gone_;
    Counter& settled_;
    Counter& late_;
    Counter& failed_calls_;
    Counter& told_again_;
    Counter& unwritten_;
    asio::any_io_executor executor_;
    asio::steady_timer wake_;
    std::vector<queue::WrittenSettlement> settlements_;
    std::size_t to_write_ = 0; // of them, at the end: not in the journal yet
    bool write_posted_ = false;
    bool in_call_ = false;            // Redis is being told
    bool paused_ = true;              // until the first join
    std::uint64_t again_through_ = 0; // outcomes up to this may have been told before Redis lost data
    std::vector<Release> releases_;
    std::vector<queue::Parking> parkings_;
    std::vector<queue::Postponing> postponings_;
    std::unordered_set<queue::Token> held_;
    bool stopping_ = false;
    SteadyTime give_up_{};
};

} // namespace penguin::delivery
