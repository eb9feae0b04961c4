// bench/plan/forecast.h
// How much a fleet of new addresses sends, day by day: the model of warmup.h in virtual time.
//
//   Fleet     told what mail a day brings and how it went; says what went out. Addresses of one kind behave alike, so a
//             provider has one lane for all cold ones
//   forecast  the same mail each day, until all of it goes out, or nothing grows any more, or kDaysMost
#pragma once

#include <string>
#include <vector>

#include "bench/plan/stores.h"

namespace penguin::bench::plan {

inline constexpr int kDaysMost = 730;

struct Setback { // a day on which a provider was not content
    std::string provider;
    int day = 1; // the first is 1
    Signal signal = Signal::bad;
};

struct ForecastDay {
    int day = 1;
    double addresses_carry = 0; // messages
    double mailboxes_carry = 0; // 0: no limit
    double sent = 0;
    std::string limit; // "demand" when all of the day's mail went out, else "warm-up" or "mailboxes"
    friend bool operator==(const ForecastDay&, const ForecastDay&) = default;
};

struct Forecast {
    std::vector<ForecastDay> days;
    int full_rate_on = 0; // the first day on which all went out; 0: none
};

class Fleet {
public:
    struct Size {
        double cold = 0;
        double warm = 0;
        Mailboxes mailboxes;
    };
    Fleet(const WarmupPlan& plan, std::vector<Share> shares, Size size);

    // `mail`: messages that want to go on that day. `setbacks`: of that day.
    ForecastDay run(std::chrono::sys_days day, double mail, const std::vector<Setback>& setbacks);
    bool grown() const; // tomorrow will be as today

private:
    double mailboxes_carry(std::chrono::sys_days day) const;

    const WarmupPlan* plan_; // outlives this
    std::vector<Share> shares_;
    Size size_;
    std::vector<LaneWarmup> lanes_; // of a cold address, one a share
    bool started_ = false;
    bool moved_ = true; // a lane or the mailboxes grew on the latest day
    std::chrono::sys_days first_{};
};

Forecast forecast(const WarmupPlan& plan, const std::vector<Share>& shares, const Fleet::Size& size, double mail_a_day,
                  const std::vector<Setback>& setbacks);

} // namespace penguin::bench::plan
