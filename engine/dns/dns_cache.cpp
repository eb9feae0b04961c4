#include "engine/dns/dns_cache.h"

#include <algorithm>

#include "engine/dns/expiring_lru.h"
#include "engine/dns/single_flight.h"

namespace penguin::dns {

namespace {

template <class Record>
using AskBehind = awaitable<Result<Answer<Record>>> (Resolver::*)(DomainName);

// Whether a failure tells something about the name, and not about us.
bool of_the_name(const Error& error)
{
    return error.code == Errc::unavailable || error.code == Errc::timeout || error.code == Errc::malformed;
}

template <class Record>
std::chrono::seconds time_to_keep(const Result<Answer<Record>>& answer, const CachingResolver::Options& options)
{
    if (!answer) return of_the_name(answer.error()) ? options.failure_ttl : std::chrono::seconds{0};
    const bool found = answer->kind == Answer<Record>::Kind::found;
    return std::min(answer->ttl, found ? options.ttl_max : options.negative_max);
}

} // namespace

// What is kept of one record type.
template <class Record>
class CachingResolver::Shelf : public std::enable_shared_from_this<Shelf<Record>> {
public:
    Shelf(Resolver& behind, AskBehind<Record> ask, const Options& options, Registry& metrics, const char* type)
        : behind_{behind},
          ask_{ask},
          options_{options},
          kept_{options.entries_max},
          flights_{options.flights_max},
          hits_{counter(metrics, type, "hit")},
          misses_{counter(metrics, type, "miss")}
    {
    }

    awaitable<Result<Answer<Record>>> find(DomainName name)
    {
        const auto self = this->shared_from_this(); // the cache may die while we wait
        const auto now = options_.now();
        if (const Kept* kept = kept_.get(name, now)) {
            hits_.add();
            Result<Answer<Record>> answer = kept->answer;
            if (answer) answer->ttl = std::chrono::ceil<std::chrono::seconds>(kept->expires - now);
            co_return answer;
        }
        misses_.add();
        auto work = [self, name] { return self->look_up(name); };
        Result<Answer<Record>> answer = co_await flights_.run(name, std::move(work));
        co_return answer;
    }

    void stop() { flights_.stop(); }
    std::size_t size() const { return kept_.size(); }

private:
    struct Kept {
        Result<Answer<Record>> answer;
        SteadyTime expires;
    };

    static Counter& counter(Registry& metrics, const char* type, const char* result)
    {
        return metrics.counter("penguin_dns_cache_lookups_total", "Look-ups that the DNS cache was asked for",
                               {{"type", type}, {"result", result}});
    }

    // Runs inside a flight, which holds us by its work.
    awaitable<Result<Answer<Record>>> look_up(DomainName name)
    {
        Result<Answer<Record>> answer = co_await (behind_.*ask_)(name);
        const auto keep = time_to_keep(answer, options_);
        if (answer) answer->ttl = std::min(answer->ttl, std::max(keep, std::chrono::seconds{0}));
        if (keep.count() <= 0) co_return answer;
        const SteadyTime expires = options_.now() + keep;
        kept_.put(name, Kept{answer, expires}, expires);
        co_return answer;
    }

    Resolver& behind_;
    AskBehind<Record> ask_;
    Options options_;
    ExpiringLru<DomainName, Kept> kept_;
    SingleFlight<DomainName, Answer<Record>> flights_;
    Counter& hits_;
    Counter& misses_;
};

CachingResolver::CachingResolver(Resolver& behind, const Options& options, Registry& metrics)
    : mx_{std::make_shared<Shelf<MxRecord>>(behind, &Resolver::mx, options, metrics, "MX")},
      a_{std::make_shared<Shelf<asio::ip::address>>(behind, &Resolver::a, options, metrics, "A")},
      aaaa_{std::make_shared<Shelf<asio::ip::address>>(behind, &Resolver::aaaa, options, metrics, "AAAA")},
      txt_{std::make_shared<Shelf<std::string>>(behind, &Resolver::txt, options, metrics, "TXT")}
{
}

CachingResolver::~CachingResolver()
{
    mx_->stop();
    a_->stop();
    aaaa_->stop();
    txt_->stop();
}

awaitable<Result<Answer<MxRecord>>> CachingResolver::mx(DomainName name) { return mx_->find(std::move(name)); }
awaitable<Result<Answer<asio::ip::address>>> CachingResolver::a(DomainName name) { return a_->find(std::move(name)); }
awaitable<Result<Answer<asio::ip::address>>> CachingResolver::aaaa(DomainName name)
{
    return aaaa_->find(std::move(name));
}
awaitable<Result<Answer<std::string>>> CachingResolver::txt(DomainName name) { return txt_->find(std::move(name)); }

std::size_t CachingResolver::entries() const { return mx_->size() + a_->size() + aaaa_->size() + txt_->size(); }

} // namespace penguin::dns
