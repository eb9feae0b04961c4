// engine/dns/cares_resolver.h
// The Resolver on c-ares: asks the name servers that are configured, follows CNAMEs that the server did not, keeps
// nothing.
//
//   limits  in_flight_max questions inside c-ares; waiting_max more wait in line for a place, in order; each look-up,
//   the
//           waiting and every CNAME included, has `deadline`
//   errors  those of resolver.h; timeout also when the deadline passes in line
//   cancel  a cancelled look-up returns at once (Errc::cancelled); c-ares cannot cancel one query, so its place stays
//   taken
//           until the name server answers or c-ares gives up
//   lives   as long as anybody may ask it, not longer than its io_context; one for each io_context. Look-ups under way
//   when
//           it dies give Errc::cancelled
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include "engine/base/metrics.h"
#include "engine/dns/resolver.h"

namespace penguin::dns {

inline constexpr std::size_t kInFlightLimit = 8192; // questions; their random ids must stay unique among 65,536
// A socket buffer holds about 200 small datagrams; what a burst loses comes back after `timeout` only. So questions leave in
// bursts of kBurstMax in kBurstTime, at most 48,000 a second.
inline constexpr std::size_t kBurstMax = 48;
inline constexpr std::chrono::milliseconds kBurstTime{1};

class CaresResolver : public Resolver {
public:
    struct Options {
        // "127.0.0.1:5533", "[::1]:53", "127.0.0.1"; empty: those of /etc/resolv.conf.
        std::vector<std::string> servers;
        std::chrono::milliseconds timeout{2000}; // of the first try at a server; doubles each round
        int tries = 3;                           // rounds over the servers
        std::chrono::milliseconds deadline{10'000};
        std::size_t in_flight_max = 512;  // look-ups inside c-ares
        std::size_t waiting_max = 16'384; // look-ups in line
        // Whether the AD bit of these servers means anything: only a validating resolver on this machine may have it.
        bool trust_authentic = false;
    };

    // Errors: bad_value (a server that is not an address, a limit of 0), local_fault.
    static Result<std::unique_ptr<CaresResolver>> open(const asio::any_io_executor& executor, Options options,
                                                       Registry& metrics);
    ~CaresResolver() override;

    awaitable<Result<Answer<MxRecord>>> mx(DomainName name) override;
    awaitable<Result<Answer<asio::ip::address>>> a(DomainName name) override;
    awaitable<Result<Answer<asio::ip::address>>> aaaa(DomainName name) override;
    awaitable<Result<Answer<std::string>>> txt(DomainName name) override;

    std::size_t in_flight() const; // for tests and gauges
    std::size_t waiting() const;

private:
    class Line;
    explicit CaresResolver(std::shared_ptr<Line> line) : line_{std::move(line)} {}
    template <class Record, class KindOf>
    static awaitable<Result<Answer<Record>>> look_up(std::shared_ptr<Line> line, KindOf kind, DomainName name);

    std::shared_ptr<Line> line_;
};

} // namespace penguin::dns
