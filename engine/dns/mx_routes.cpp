#include "engine/dns/mx_routes.h"

#include <exception>

#include "engine/dns/expiring_lru.h"
#include "engine/dns/route_rules.h"
#include "engine/dns/single_flight.h"

namespace penguin::dns {

namespace {

using Found = std::shared_ptr<const Result<Route>>;
using Addresses = Answer<asio::ip::address>;

// The addresses of all hosts of a plan, asked for at once.
struct Gathering {
    Gathering(const asio::any_io_executor& executor, std::size_t hosts, SteadyTime deadline)
        : finished{executor, deadline},
          answers(hosts, {not_in_time(), not_in_time()}),
          open{2 * hosts}
    {
    }
    static Result<Addresses> not_in_time() { return fail(Errc::timeout, "no address in time"); }

    asio::steady_timer finished; // fires at the deadline; cancelled when all is there
    std::vector<HostAddresses> answers;
    std::size_t open;
    std::vector<std::unique_ptr<asio::cancellation_signal>> stops;
};

awaitable<> ask_address(Resolver& resolver, std::shared_ptr<Gathering> gathering, std::size_t host, DomainName name,
                        bool v6)
{
    Result<Addresses> answer = co_await (v6 ? resolver.aaaa(std::move(name)) : resolver.a(std::move(name)));
    (v6 ? gathering->answers[host].v6 : gathering->answers[host].v4) = std::move(answer);
}

awaitable<std::vector<HostAddresses>> gather(Resolver& resolver, std::vector<PlannedHost> hosts, SteadyTime deadline)
{
    const auto executor = co_await asio::this_coro::executor;
    const auto all = std::make_shared<Gathering>(executor, hosts.size(), deadline);
    for (std::size_t i = 0; i < 2 * hosts.size(); ++i) {
        const bool v6 = i % 2 == 1;
        const auto& stop = all->stops.emplace_back(std::make_unique<asio::cancellation_signal>());
        auto landed = [all](const std::exception_ptr& /*out of memory or cancelled: the answer stays `not in time`*/) {
            if (--all->open == 0) all->finished.cancel();
        };
        asio::co_spawn(executor, ask_address(resolver, all, i / 2, hosts[i / 2].name, v6),
                       asio::bind_cancellation_slot(stop->slot(), std::move(landed)));
    }
    if (all->open > 0) [[maybe_unused]]
        const auto [code] = co_await all->finished.async_wait(use_result);
    std::vector<HostAddresses> answers = all->answers;
    for (const auto& stop : all->stops) stop->emit(asio::cancellation_type::terminal);
    co_return answers;
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
    const std::vector<HostAddresses> addresses = co_await gather(state->resolver, plan->hosts, deadline);
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
