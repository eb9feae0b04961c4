// control/daemon/service.h
// What the daemon is made of: every part by name, each given what it needs. The engine has threads of its own; everything
// of control lives on one more.
//
//   threads  make, start and stop on any one thread, not on one of its own; alive on any
//   start    takes connections of the API at the end; with PostgreSQL away the engine sends from the snapshot on disk and
//            the API answers 503
//   ready    503 when no mail can be taken: PostgreSQL is away, a loop hangs, we stop. Redis and the engine are shown beside it:
//            without them mail is still accepted, and when Redis is away it is so for the whole fleet.
//   stop     from say_stopping on ready says no and the API answers as ever, so that balancers send nobody any more. Stop ends the
//            API, then the engine within `grace`, then ledger and pump; bounded by grace + kWindDownMax and a few seconds
#pragma once

#include <chrono>
#include <memory>

#include "control/daemon/config.h"
#include "control/daemon/state_dir.h"
#include "engine/base/metrics.h"
#include "engine/base/uuid.h"

namespace penguin::control {

inline constexpr std::chrono::seconds kAliveMax{30};    // a loop that has not answered for longer hangs
inline constexpr std::chrono::seconds kWindDownMax{15}; // for pump and ledger to finish what they have begun

class Service {
public:
    // Errors: of the master key, of the files that the configuration names; nothing runs yet.
    static Result<std::unique_ptr<Service>> make(const Config& config, const StateDir& dir, const NodeName& node,
                                                 bool crashed_before, Registry& metrics);
    ~Service();
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    // Blocks until the API listens. Errors: of http::Server::listen_*.
    Result<> start();
    void say_stopping();
    // Blocks. True when the node's name in the queue was given up.
    bool stop(std::chrono::seconds grace);
    bool alive() const;

private:
    struct Parts;
    explicit Service(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

} // namespace penguin::control
