// control/ctl/top.h
// The live view: looks at a node's metrics at an interval and shows a frame, until q or Ctrl-C.
//
//   screen   of a terminal: its other screen, redrawn, given back at the end. Anything else gets one frame after the other
//   errors   a look that fails is said in the frame, and the next one is tried; with `once` it ends with kUnreachable
#pragma once

#include <chrono>
#include <string>

#include "control/ctl/api_client.h"

namespace penguin::control::ctl {

struct TopOptions {
    std::chrono::milliseconds interval{2'000};
    bool once = false;
    std::string url; // for the title and for errors
};

// Gives the exit status.
int run_top(ApiClient& client, const TopOptions& options);

} // namespace penguin::control::ctl
