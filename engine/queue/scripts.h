// engine/queue/scripts.h
// The Lua scripts (scripts/*.lua), put into the program when it is built, common.lua and tenant_limits.lua in front of each.
#pragma once

#include <string_view>

namespace penguin::queue {

struct Script {
    std::string_view name;
    std::string_view before; // crash points
    std::string_view after;
    std::string_view sha1; // hex, as EVALSHA wants it
    std::string_view text;
};

namespace scripts {
extern const Script start, recover, rehand, stop, heartbeat, takeover, enqueue, claim, settle, release, park, reopen,
    bury, postpone, cancel, readd, sizes, confirm, lock, limit, count, standing, places, held_sizes, hasten;
} // namespace scripts

inline constexpr const Script* kScripts[] = {
    &scripts::start,    &scripts::recover,  &scripts::rehand,  &scripts::stop,       &scripts::heartbeat,
    &scripts::takeover, &scripts::enqueue,  &scripts::claim,   &scripts::settle,     &scripts::release,
    &scripts::park,     &scripts::reopen,   &scripts::bury,    &scripts::postpone,   &scripts::cancel,
    &scripts::readd,    &scripts::sizes,    &scripts::confirm, &scripts::lock,       &scripts::limit,
    &scripts::count,    &scripts::standing, &scripts::places,  &scripts::held_sizes, &scripts::hasten};

} // namespace penguin::queue
