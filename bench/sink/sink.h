// bench/sink/sink.h
// An SMTP server that takes mail and keeps or counts it: the other side for demos, tests and measurements. Built to be
// faster than what it measures: a thread a core, each with its own listening sockets, no lock and no queue between them.
//
//   limits   connections_max (then 421), kHeaderMax octets of header are looked at for the log, a read waits `idle`
//   errors   start(): bad_value (an address cannot be bound, reports without a profile that has them or without an
//            address), local_fault (log or folder)
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "bench/sink/complaint_desk.h"
#include "bench/sink/provider_policy.h"
#include "bench/sink/sink_recorder.h"
#include "bench/sink/sink_rules.h"
#include "bench/sink/sink_tls.h"
#include "engine/base/asio.h"
#include "engine/smtp/server_dialogue.h"

namespace penguin::bench {

struct SinkOptions {
    std::vector<asio::ip::tcp::endpoint> listen; // port 0: the kernel's choice, see Sink::listening
    std::size_t threads = 1;
    bool pin = false; // each thread to a core of its own
    bool tls = true;
    smtp::ServerDialogue::Options dialogue; // starttls is set from `tls`
    std::vector<SinkRule> rules;
    std::optional<SinkProfile> profile; // asked where no rule answers
    std::function<SteadyTime()> now = [] {
        return std::chrono::steady_clock::now();
    }; // the profile's; any thread calls
    std::optional<ComplaintDesk::Options> reports; // needs a profile that has them
    SinkRecorder::Options record;
    std::size_t connections_max = 10'000;
    std::chrono::seconds idle{300};
};

struct SinkCounts {
    std::atomic<std::uint64_t> connections{0};
    std::atomic<std::uint64_t> turned_away{0}; // over connections_max
    std::atomic<std::uint64_t> tls_connections{0};
    std::atomic<std::uint64_t> tls_failed{0};
    std::atomic<std::uint64_t> messages{0};                              // accepted
    std::atomic<std::uint64_t> recipients{0};                            // of accepted messages
    std::atomic<std::uint64_t> octets{0};                                // of accepted messages
    std::array<std::atomic<std::uint64_t>, 7> ruled{};                   // rules applied, by SinkPhase
    std::array<std::atomic<std::uint64_t>, kProviderReasons> profiled{}; // refusals and faults, by ProviderReason
    std::string to_json(std::chrono::milliseconds running) const;
};

// What all connections share; outlives them.
struct SinkShared {
    SinkOptions options;
    SinkRules rules;
    SinkRecorder recorder;
    std::unique_ptr<ProviderGate> gate;  // null: no profile
    std::unique_ptr<ComplaintDesk> desk; // null: complaints are not reported
    const SinkTls* tls = nullptr;        // null: no STARTTLS
    SinkCounts counts;
    std::atomic<std::size_t> open{0};
    std::atomic<std::uint64_t> next_connection{1};
};

// A clock for SinkOptions::now that a day passes on in `day`.
std::function<SteadyTime()> clock_with_days_of(std::chrono::seconds day);

class Sink {
public:
    static Result<std::unique_ptr<Sink>> start(const SinkOptions& options);
    ~Sink(); // stops
    Sink(const Sink&) = delete;
    Sink& operator=(const Sink&) = delete;

    const std::vector<asio::ip::tcp::endpoint>& listening() const noexcept { return listening_; }
    const SinkCounts& counts() const noexcept { return shared_.counts; }
    // The counts, and with a profile what the provider thinks of whom and what it reported.
    std::string to_json(std::chrono::milliseconds running) const;
    // Ends all connections and threads.
    void stop();

private:
    explicit Sink(const SinkOptions& options);
    Result<> prepare_desk();
    Result<> prepare_tls();
    Result<> listen();
    void run();

    SinkShared shared_;
    std::optional<SinkTls> tls_;
    std::vector<std::unique_ptr<asio::io_context>> contexts_; // one a thread
    std::vector<asio::ip::tcp::endpoint> listening_;
    std::vector<std::thread> threads_;
};

} // namespace penguin::bench
