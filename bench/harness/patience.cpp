#include "bench/harness/patience.h"

#include <algorithm>

#include <pthread.h>

namespace penguin::bench {

using std::chrono::steady_clock;

Patience::Patience(std::chrono::seconds limit) : deadline_{steady_clock::now() + limit}, limit_{limit}
{
    sigemptyset(&signals_);
    for (const int number : {SIGINT, SIGTERM}) sigaddset(&signals_, number);
    pthread_sigmask(SIG_BLOCK, &signals_, &before_);
    std::signal(SIGPIPE, SIG_IGN);
}

Patience::~Patience() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

void Patience::take_signal(std::chrono::nanoseconds wait)
{
    const timespec time{.tv_sec = wait.count() / 1'000'000'000, .tv_nsec = wait.count() % 1'000'000'000};
    if (signalled_ == 0) signalled_ = std::max(0, sigtimedwait(&signals_, nullptr, &time));
    if (signalled_ > 0) throw BenchError{"stopped by signal " + std::to_string(signalled_)};
    if (steady_clock::now() >= deadline_)
        throw BenchError{"took longer than the " + std::to_string(limit_.count()) + " s that it may (--timeout-s)"};
}

BenchError Patience::stalled(const std::string& what, std::uint64_t now, std::uint64_t goal)
{
    return BenchError{what + ": nothing moved for " + std::to_string(kStalledAfter.count()) + " s, at " +
                      std::to_string(now) + " of " + std::to_string(goal)};
}

void Patience::check() { take_signal(std::chrono::nanoseconds{0}); }

void Patience::nap(std::chrono::milliseconds time)
{
    take_signal(std::min<std::chrono::nanoseconds>(
        time, std::max<std::chrono::nanoseconds>(deadline_ - steady_clock::now(), std::chrono::nanoseconds{0})));
}

} // namespace penguin::bench
