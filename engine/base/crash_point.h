// engine/base/crash_point.h
// Lets a test kill the daemon exactly here: `crash_point("settle.before")` dies by SIGKILL when the environment says
// PENGUIN_CRASH_AT=settle.before (or settle.before:3 for the third time). In a release build it is nothing.
#pragma once

#include <string_view>

namespace penguin {

#ifdef PENGUIN_CRASH_POINTS
void crash_point(std::string_view name);
#else
inline void crash_point(std::string_view /*name*/) {}
#endif

} // namespace penguin
