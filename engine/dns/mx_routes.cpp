#include "engine/dns/mx_routes.h"

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

bool of_the_domain(const Result<Route>& route)
{
    if (route) return true;
    const Errc code = route.error().code;
    return code != Errc::full && code != Errc::cancelled && code != Errc::local_fault;
}

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
    ExpiringLru<DomainName, Found> kept;
    SingleFlight<DomainName, Found> flights;

    // Coroutines of a flight: they hold the State, the MxRoutes may be gone.
    static awaitable<Result<Route>> look_up(std::shared_ptr<State> state, DomainName domain);
    static awaitable<Result<Found>> look_up_and_keep(std::shared_ptr<State> state, DomainName domain);
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

awaitable<Result<Found>> MxRoutes::State::look_up_and_keep(std::shared_ptr<State> state, DomainName domain)
{
    Result<Route> route = co_await look_up(state, domain);
    const SteadyTime expires = route ? route->expires : state->options.now() + state->options.failure_ttl;
    const bool keep = of_the_domain(route);
    Found found = std::make_shared<const Result<Route>>(std::move(route));
    if (keep) state->kept.put(domain, found, expires);
    co_return found;
}

awaitable<Found> MxRoutes::State::find(std::shared_ptr<State> state, DomainName domain)
{
    if (const Found* kept = state->kept.get(domain, state->options.now())) co_return *kept;
    auto work = [state, domain] { return look_up_and_keep(state, domain); };
    Result<Found> found = co_await state->flights.run(domain, std::move(work));
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
    const Found* kept = state_->kept.get(domain, now);
    return kept == nullptr ? nullptr : *kept;
}

awaitable<Found> MxRoutes::find(DomainName domain) { return State::find(state_, std::move(domain)); }

} // namespace penguin::dns
