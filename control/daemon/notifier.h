// control/daemon/notifier.h
// What we tell systemd (sd_notify): that we are ready, still starting, stopping, alive. Nothing, when it did not start us.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace penguin::control {

class Notifier {
public:
    static constexpr std::chrono::seconds kMoreTime{60}; // each time that a start or a stop asks for more

    void status(std::string_view text) const;                    // what `systemctl status` shows
    void more_time(std::chrono::seconds time = kMoreTime) const; // a start or a stop that takes long goes on
    void ready() const;
    void stopping() const;
    void alive() const; // feeds the watchdog
    // How often `alive` is expected, half of WatchdogSec; nothing without a watchdog.
    static std::optional<std::chrono::microseconds> watchdog_pause();
};

} // namespace penguin::control
