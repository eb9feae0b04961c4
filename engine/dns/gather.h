// engine/dns/gather.h
// Does many look-ups at once and waits for all of them, but not beyond a deadline.
//
//   in      jobs; each puts its result where the caller will look, in something that it shares ownership of: a job that
//           is cancelled at the deadline may end a little later
//   out     returns when every job has ended or the deadline has passed; then the rest is cancelled
//   errors  none: a job that throws (no memory, cancelled) has ended without a result
#pragma once

#include <functional>
#include <vector>

#include "engine/base/asio.h"

namespace penguin::dns {

awaitable<> gather(std::vector<std::function<awaitable<>()>> jobs, SteadyTime deadline);

} // namespace penguin::dns
