// engine/dns/dns_cache.h
// A Resolver before another one that remembers: found, "no such record" and "no such name" for their TTL, failures
// briefly. Callers that ask for the same at the same time share one look-up.
//
//   out     as resolver.h; the TTL of an answer counts down while it is kept
//   limits  entries_max names of each record type, the one used longest ago leaves; flights_max look-ups at a time
//   errors  those of the resolver behind. full, cancelled and local_fault say nothing about the name: never kept
//   source  RFC 1035, RFC 2308 (5: negative answers; 7: failures, at most 5 minutes)
//   lives   not longer than the resolver behind it
#pragma once

#include <functional>
#include <memory>

#include "engine/base/metrics.h"
#include "engine/dns/resolver.h"

namespace penguin::dns {

class CachingResolver : public Resolver {
public:
    struct Options {
        std::size_t entries_max = 65'536;       // names of a type
        std::size_t flights_max = 32'768;       // look-ups under way of a type
        std::chrono::seconds ttl_max{86'400};   // found
        std::chrono::seconds negative_max{900}; // no name, no data; without SOA the TTL is 0: not kept
        std::chrono::seconds failure_ttl{5};
        std::function<SteadyTime()> now{&std::chrono::steady_clock::now};
    };
    CachingResolver(Resolver& behind, const Options& options, Registry& metrics);
    ~CachingResolver() override;

    awaitable<Result<Answer<MxRecord>>> mx(DomainName name) override;
    awaitable<Result<Answer<asio::ip::address>>> a(DomainName name) override;
    awaitable<Result<Answer<asio::ip::address>>> aaaa(DomainName name) override;
    awaitable<Result<Answer<std::string>>> txt(DomainName name) override;

    std::size_t entries() const; // of all types

private:
    template <class Record>
    class Shelf;
    template <class Record>
    using ShelfPtr = std::shared_ptr<Shelf<Record>>;

    ShelfPtr<MxRecord> mx_;
    ShelfPtr<asio::ip::address> a_;
    ShelfPtr<asio::ip::address> aaaa_;
    ShelfPtr<std::string> txt_;
};

} // namespace penguin::dns
