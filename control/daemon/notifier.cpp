#include "control/daemon/notifier.h"

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

namespace penguin::control {

namespace {

void tell(const std::string& state) { ::sd_notify(0, state.c_str()); }

} // namespace

void Notifier::status(std::string_view text) const { tell(fmt::format("STATUS={}", text)); }

void Notifier::more_time(std::chrono::seconds time) const
{
    tell(fmt::format("EXTEND_TIMEOUT_USEC={}", std::chrono::microseconds{time}.count()));
}

void Notifier::ready() const { tell("READY=1\nSTATUS=sending"); }

void Notifier::stopping() const { tell("STOPPING=1\nSTATUS=finishing what is in a transaction"); }

void Notifier::alive() const { tell("WATCHDOG=1"); }

std::optional<std::chrono::microseconds> Notifier::watchdog_pause()
{
    std::uint64_t limit = 0;
    if (::sd_watchdog_enabled(0, &limit) <= 0) return std::nullopt;
    return std::chrono::microseconds{limit / 2};
}

} // namespace penguin::control
