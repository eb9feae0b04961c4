// What people do beside the load of a soak: tenants, domains and keys come and go, pools and sources too, campaigns are put
// off and cancelled, addresses suppressed and let in again, lists read. All of it through the API.
//
//   ends     when `running` is false, at the end of the step it is in
//   errors   BenchError: a call that was refused
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "bench/harness/world.h"

namespace penguin::bench {

struct Churn {
    World& world;
    std::size_t domains = 1;                  // of recipients
    const bool& running;                      // set by who has the load
    std::map<std::string, std::size_t> steps; // done, by kind
};

// One coroutine a kind.
std::vector<awaitable<void>> churners(Churn& churn);

} // namespace penguin::bench
