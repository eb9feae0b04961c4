#include "engine/dns/mx_routes.h"

#include <boost/asio/detached.hpp>

#include "engine/dns/expiring_lru.h"
#include "engine/dns/gather.h"
#include "engine/dns/route_rules.h"
#include "engine/dns/single_flight.h"

namespace penguin::dns {

namespace {

using Found = std::shared_ptr<const Result<Route>>;
using Addresses = Answer<asio::ip::address>;

Result<Addresses> not_in_time() { return fail(Errc::timeout, "no address in time"); }

using Answers = std::vector<HostAddresses>;

awaitable<> ask_address(Resolver& resolver, std::shared_ptr<Answers> answers, std::size_t host, DomainName name,
                        bool v6)
{
    Result<Addresses> answer = co_await (v6 ? resolver.aaaa(std::move(name)) : resolver.a(std::move(name)));
    (v6 ? (*answers)[host].v6 : (*answers)[host].v4) = std::move(answer);
}

// The addresses of all hosts, asked for at once: a slow one does not delay the others beyond the deadline.
awaitable<Answers> addresses_of(Resolver& resolver, std::vector<PlannedHost> hosts, SteadyTime deadline)
{
    const auto answers = std::make_shared<Answers>(hosts.size(), HostAddresses{not_in_time(), not_in_time()});
    std::vector<std::function<awaitable<>()>> jobs;
    for (std::size_t i = 0; i < hosts.size(); ++i)
        for (const bool v6 : {false, true})
            jobs.emplace_back([&resolver, answers, i, name = hosts[i].name, v6] {
                return ask_address(resolver, answers, i, name, v6);
            });
    co_await gather(std::move(jobs), deadline);
    co_return *answers;
}

bool says_nothing_of_the_domain(const Error& error)
{
    return error.code == Errc::full || error.code == Errc::cancelled || error.code == Errc::local_fault;
}

bool is_final(const Error& error) { return error.code == Errc::not_found || error.code == Errc::refused; }

struct Kept {
    Found found;
    SteadyTime fresh_until;
    SteadyTime usable_until; // later than fresh_until for a route only

    bool has_route() const { return found->has_value(); }
};

} // namespace

struct MxRoutes::State {
    State(Resolver& asked, TargetRule targets, Options wanted)
        : resolver{asked},
          rule{std::move(targets)},
          options{std::move(wanted)},
          kept{options.entries_max},
          flights{options.flights_max}
    {
    }

    Resolver& resolver;
    TargetRule rule;
    Options options;
    ExpiringLru<DomainName, Kept> kept;
    SingleFlight<DomainName, Found> flights;

    void keep(const DomainName& domain, const Kept& what) { kept.put(domain, what, what.usable_until); }
    Found keep(const DomainName& domain, Result<Route> route);

    // Coroutines of a flight: they hold the State, the MxRoutes may be gone.
    static awaitable<Result<Route>> look_up(std::shared_ptr<State> state, DomainName domain);
    static awaitable<Result<Found>> look_up_and_keep(std::shared_ptr<State> state, DomainName domain);
    static awaitable<Result<Found>> refresh(std::shared_ptr<State> state, DomainName domain);
    static awaitable<Found> find(std::shared_ptr<State> state, DomainName domain);
};

awaitable<Result<Route>> MxRoutes::State::look_up(std::shared_ptr<State> state, DomainName domain)
{
    const SteadyTime deadline = std::chrono::steady_clock::now() + state->options.deadline;
    const Result<Answer<MxRecord>> mx =
        co_await within(state->options.deadline, "MX look-up of " + domain.text(), state->resolver.mx(domain));
    if (!mx) co_return std::unexpected{mx.error()};
    const Result<RoutePlan> plan = plan_route(domain, *mx);
    if (!plan) co_return std::unexpected{plan.error()};
    const std::vector<HostAddresses> addresses = co_await addresses_of(state->resolver, plan->hosts, deadline);
    const RouteTimes times{.now = state->options.now(),
                           .ttl_min = state->options.ttl_min,
                           .ttl_max = state->options.ttl_max,
                           .failure_ttl = state->options.failure_ttl};
    co_return build_route(domain, *plan, addresses, state->rule, times);
}

// The answer for those who wait: the route, the old one in place of a failure, or the failure.
Found MxRoutes::State::keep(const DomainName& domain, Result<Route> route)
{
    const SteadyTime now = options.now();
    if (!route && !is_final(route.error())) {
        if (const Kept* old = kept.get(domain, now); old != nullptr && old->has_route()) {
            const Kept stale{old->found, now + options.stale_retry, old->usable_until};
            keep(domain, stale);
            return stale.found;
        }
    }
    const bool unknown = !route && says_nothing_of_the_domain(route.error());
    const SteadyTime fresh_until = route ? route->expires : now + options.failure_ttl;
    const SteadyTime usable_until = route ? fresh_until + options.stale_if_error : fresh_until;
    Found found = std::make_shared<const Result<Route>>(std::move(route));
    if (!unknown) keep(domain, Kept{found, fresh_until, usable_until});
    return found;
}

awaitable<Result<Found>> MxRoutes::State::look_up_and_keep(std::shared_ptr<State> state, DomainName domain)
{
    Result<Route> route = co_await look_up(state, domain);
    co_return state->keep(domain, std::move(route));
}

awaitable<Result<Found>> MxRoutes::State::refresh(std::shared_ptr<State> state, DomainName domain)
{
    auto work = [state, domain] { return look_up_and_keep(state, domain); };
    Result<Found> found = co_await state->flights.run(domain, std::move(work));
    co_return found;
}

awaitable<Found> MxRoutes::State::find(std::shared_ptr<State> state, DomainName domain)
{
    const SteadyTime now = state->options.now();
    if (const Kept* kept = state->kept.get(domain, now)) {
        Found found = kept->found;
        if (now < kept->fresh_until) co_return found;
        if (now < kept->fresh_until + state->options.stale_while_refresh) {
            asio::co_spawn(co_await asio::this_coro::executor, refresh(state, domain), asio::detached);
            co_return found;
        }
    }
    Result<Found> found = co_await refresh(state, domain);
    if (found) co_return std::move(*found);
    co_return std::make_shared<const Result<Route>>(std::unexpected{found.error()});
}

MxRoutes::MxRoutes(Resolver& resolver, TargetRule rule, Options options)
    : state_{std::make_shared<State>(resolver, std::move(rule), std::move(options))}
{
}

MxRoutes::~MxRoutes() { state_->flights.stop(); }

Found MxRoutes::cached(const DomainName& domain, SteadyTime now) const
{
    const Kept* kept = state_->kept.get(domain, now);
    return kept == nullptr || kept->fresh_until <= now ? nullptr : kept->found;
}

awaitable<Found> MxRoutes::find(DomainName domain) { return State::find(state_, std::move(domain)); }

} // namespace penguin::dns
