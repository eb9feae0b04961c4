#include "bench/plan/forecast.h"

#include <algorithm>

namespace penguin::bench::plan {

namespace {

constexpr double kRounding = 1e-9;

Signal signal_of(const std::vector<Setback>& setbacks, const std::string& provider)
{
    Signal worst = Signal::good;
    for (const Setback& setback : setbacks)
        if (setback.provider == provider) worst = std::max(worst, setback.signal);
    return worst;
}

std::vector<Setback> on_day(const std::vector<Setback>& setbacks, int day)
{
    std::vector<Setback> found;
    std::ranges::copy_if(setbacks, std::back_inserter(found), [day](const Setback& one) { return one.day == day; });
    return found;
}

bool any_after(const std::vector<Setback>& setbacks, int day)
{
    return std::ranges::any_of(setbacks, [day](const Setback& setback) { return setback.day > day; });
}

} // namespace

Fleet::Fleet(const WarmupPlan& plan, std::vector<Share> shares, Size size)
    : plan_{&plan},
      shares_{std::move(shares)},
      size_{size}
{
    for (const Share& share : shares_) lanes_.emplace_back(plan, share.part);
}

double Fleet::mailboxes_carry(std::chrono::sys_days day) const
{
    if (size_.mailboxes.day_max == 0) return 0;
    const bool fresh = size_.warm == 0; // a new installation: the mailboxes are new too
    const double each = fresh ? mailbox_cap(day - first_, size_.mailboxes.day_max) : size_.mailboxes.day_max;
    return size_.mailboxes.carry(each);
}

ForecastDay Fleet::run(std::chrono::sys_days day, double mail, const std::vector<Setback>& setbacks)
{
    if (!started_) first_ = day;
    started_ = true;
    ForecastDay told{.day = static_cast<int>((day - first_).count()) + 1, .limit = "demand"};
    told.mailboxes_carry = mailboxes_carry(day);
    const bool mailboxes_bind = told.mailboxes_carry > 0 && told.mailboxes_carry < mail * (1 - kRounding);
    const double offered = mailboxes_bind ? told.mailboxes_carry : mail;
    moved_ = mailboxes_carry(day + std::chrono::days{1}) > told.mailboxes_carry;
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
        const double wanted = offered * shares_[i].part;
        const double cold = size_.cold * lanes_[i].cap_on(day);
        const double carried = cold + size_.warm * plan_->full_rate() * shares_[i].part;
        told.addresses_carry += carried;
        told.sent += std::min(wanted, carried);
        if (wanted * (1 - kRounding) > carried) told.limit = "warm-up";
        const std::size_t stage = lanes_[i].stage();
        // Cold addresses first: what they may not carry goes to warm ones.
        const double sent = size_.cold > 0 ? std::min(wanted, cold) / size_.cold : 0;
        lanes_[i].ended(day, {.sent = sent, .signal = signal_of(setbacks, shares_[i].provider)});
        moved_ = moved_ || lanes_[i].stage() != stage;
    }
    if (mailboxes_bind && told.limit == "demand") told.limit = "mailboxes";
    return told;
}

bool Fleet::grown() const { return !moved_; }

Forecast forecast(const WarmupPlan& plan, const std::vector<Share>& shares, const Fleet::Size& size, double mail_a_day,
                  const std::vector<Setback>& setbacks)
{
    Fleet fleet{plan, shares, size};
    Forecast forecast;
    for (int day = 1; day <= kDaysMost; ++day) {
        const std::chrono::sys_days date{std::chrono::days{day}};
        forecast.days.push_back(fleet.run(date, mail_a_day, on_day(setbacks, day)));
        if (forecast.days.back().limit == "demand" && forecast.full_rate_on == 0) forecast.full_rate_on = day;
        const bool done = forecast.full_rate_on != 0 || fleet.grown();
        if (done && !any_after(setbacks, day)) break;
    }
    return forecast;
}

} // namespace penguin::bench::plan
