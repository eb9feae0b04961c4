// The key set at a URL: fetched at the start, each kRefreshEvery, and when a token names a key that we do not have.
//
//   away     the keys that were read last stay for kKeptMax; then, as before the first answer, there are none
//   limits   kJwksMax octets; when asked to look again at most one fetch in kLookAgainEvery; who asks meanwhile waits for the same
//   threads  belongs to one
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "control/auth/key_set.h"
#include "engine/base/metrics.h"
#include "engine/dns/single_flight.h"

namespace penguin::control::fetch {

class JwksUrl final : public KeySet {
public:
    static constexpr std::chrono::minutes kRefreshEvery{5};
    static constexpr std::chrono::seconds kRetryEvery{30};
    static constexpr std::chrono::seconds kLookAgainEvery{30};
    static constexpr std::chrono::hours kKeptMax{24};

    struct Options {
        std::function<awaitable<Result<std::string>>()> get; // the document; bounds itself in time and size
        std::string name;                                    // for the log
        std::function<SteadyTime()> now{&std::chrono::steady_clock::now};
    };
    JwksUrl(Options options, Registry& metrics);

    std::shared_ptr<const Jwks> keys(SteadyTime now) override;
    awaitable<void> look_again() override;

    // Fetches from time to time, until it is stopped.
    awaitable<void> run();
    void stop();

private:
    using Keys = std::shared_ptr<const Jwks>;
    awaitable<Result<Keys>> refresh();
    awaitable<Result<Keys>> fetch();

    Options options_;
    Counter& read_;
    Counter& not_read_;
    dns::SingleFlight<std::string, Keys> flights_{1};
    Keys keys_;
    SteadyTime fetched_{};
    std::optional<SteadyTime> asked_;
    bool stopped_ = false;
};

} // namespace penguin::control::fetch
