#include "engine/delivery/lane.h"

#include <algorithm>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "engine/base/crash_point.h"
#include "engine/base/log.h"
#include "engine/delivery/source_choice.h"
#include "engine/policy/mx_order.h"

namespace penguin::delivery {

namespace {

constexpr std::size_t kTargetsMax = 8;           // addresses that one attempt tries
constexpr std::chrono::seconds kToldCheck{1};    // how often the lease is looked at while Redis is away
constexpr std::chrono::seconds kGrowthPause{10}; // after a server refused one more connection

struct Target {
    const dns::RouteHost* host;
    asio::ip::address address;
};

// RFC 5321 5.1: hosts by preference, then each one's addresses; those that this source can reach.
std::vector<Target> targets_of(const dns::Route& route, const asio::ip::address& source, std::mt19937& random)
{
    std::vector<std::uint16_t> preferences;
    preferences.reserve(route.hosts.size());
    for (const dns::RouteHost& host : route.hosts) preferences.push_back(host.preference);
    std::vector<Target> targets;
    for (const std::size_t at : policy::mx_order(preferences, random))
        for (const asio::ip::address& address : route.hosts[at].addresses)
            if (targets.size() < kTargetsMax && can_reach(source, address))
                targets.push_back({&route.hosts[at], address});
    return targets;
}

bool is_tls_failure(const smtp::Outcome& outcome)
{
    return outcome.kind == smtp::Outcome::Kind::lost && outcome.phase == smtp::Phase::tls;
}

} // namespace

// A job that a connection has taken, and its mail once that is made.
struct Lane::Taken {
    Taken(const asio::any_io_executor& executor, JobPtr which)
        : job{std::move(which)},
          made{executor, asio::steady_timer::time_point::max()}
    {
    }
    JobPtr job;
    std::optional<Result<MessageMaker::Draft>> draft; // what could be made of it at once
    asio::steady_timer made;                          // cancelled when `mail` is there
    std::optional<Result<MailPtr>> mail;
};

struct Lane::Connection {
    std::unique_ptr<Session> session;
    std::shared_ptr<Taken> next; // being made while another is sent
    std::size_t messages = 0;
    std::string remote; // also of a session that ended
    JobPtr job;         // what the permit is asked about
    UntoldPtr untold;   // null: Redis knows all that the server may have
};

Lane::Lane(LaneContext& context, SourceSettings source, DomainName mx, std::shared_ptr<SiteLoad> site)
    : context_{context},
      source_{std::move(source)},
      mx_{std::move(mx)},
      site_{std::move(site)}
{
    site_->lanes.push_back(this);
}

Lane::~Lane() { std::erase(site_->lanes, this); }

void Lane::offer(JobPtr job)
{
    if (stopping_) return give_back(job, "stopping");
    if (closed_ && !job->probe) return give_back(job, "lane-backoff");
    closed_ = false;
    enqueue(std::move(job));
    if (idle_.empty())
        grow();
    else
        wake_one();
}

void Lane::enqueue(JobPtr job)
{
    const Job& what = *job;
    queue_.push(what.entry.tenant, weight_of(what), static_cast<std::size_t>(what.entry.prio), std::move(job));
}

void Lane::stop()
{
    stopping_ = true;
    for (const JobPtr& job : queue_.take_all()) give_back(job, "stopping");
    for (asio::steady_timer* timer : std::exchange(idle_, {})) timer->cancel();
}

void Lane::cut()
{
    for (Connection* connection : live_)
        if (connection->session) connection->session->cut();
}

void Lane::settings_changed()
{
    for (JobPtr& job : queue_.take_all()) {
        if (campaign_stopped(*job))
            give_back(job, kCampaignStopped);
        else
            enqueue(std::move(job));
    }
}

bool Lane::may_grow()
{
    if (connections_ >= limits().connections || site_is_full()) return false;
    if (connections_ == 0) return true;
    return standing_ > 0 && std::chrono::steady_clock::now() >= no_growth_before_;
}

bool Lane::site_is_full() const { return site_->connections >= context_.settings()->limits.site_connections; }

// Asks the other lanes of the site for a connection that they do not use; one that ends is passed on to us.
void Lane::wait_for_site()
{
    if (waiting_) return;
    waiting_ = true;
    site_->waiting.push_back(weak_from_this());
    for (Lane* lane : site_->lanes) lane->wake_one();
}

// A connection of the site has ended: whoever waits longest may open one.
void Lane::pass_on()
{
    while (!site_->waiting.empty() && !site_is_full()) {
        const std::shared_ptr<Lane> next = site_->waiting.front().lock();
        site_->waiting.pop_front();
        if (!next) continue;
        next->waiting_ = false;
        next->grow();
    }
    if (!stopping_ && !queue_.empty()) grow();
}

void Lane::grow()
{
    std::size_t starting = connections_ - standing_;
    while (queue_.size() > starting && may_grow()) {
        ++connections_;
        ++starting;
        ++site_->connections;
        context_.connections_changed(+1);
        auto run = [](std::shared_ptr<Lane> self) -> awaitable<void> { co_await self->run_connection(); };
        asio::co_spawn(context_.executor, run(shared_from_this()), asio::detached);
    }
    if (!queue_.empty() && connections_ == 0 && site_is_full()) wait_for_site();
}

awaitable<void> Lane::run_connection()
{
    Connection connection;
    live_.push_back(&connection);
    bool useful = true;
    bool leaving = false;
    while (useful && !leaving) {
        const std::shared_ptr<Taken> taken = co_await next(connection);
        useful = taken != nullptr;
        if (useful) useful = co_await serve(connection, *taken);
        leaving = useful && leaves();
    }
    co_await close(connection);
    co_await return_next(connection);
    std::erase(live_, &connection);
    --connections_;
    if (leaving) --leaving_;
    --site_->connections;
    context_.connections_changed(-1);
    pass_on(); // also what came for this lane meanwhile and found no connection to wake
}

awaitable<JobPtr> Lane::next_job()
{
    if (queue_.empty() && !stopping_ && site_->waiting.empty()) {
        asio::steady_timer timer{context_.executor, context_.settings()->limits.idle};
        idle_.push_back(&timer);
        co_await timer.async_wait(use_result);
        std::erase(idle_, &timer);
    }
    if (queue_.empty()) co_return nullptr;
    co_return queue_.pop();
}

awaitable<std::shared_ptr<Lane::Taken>> Lane::next(Connection& connection)
{
    if (std::shared_ptr<Taken> taken = std::move(connection.next)) {
        while (!taken->mail) co_await taken->made.async_wait(use_result);
        co_return taken;
    }
    JobPtr job = co_await next_job();
    if (!job) co_return nullptr;
    co_return std::make_shared<Taken>(context_.executor, std::move(job));
}

bool Lane::suppressed(const Job& job) const
{
    return context_.settings()->suppressions->covers(job.entry.tenant, job.entry.to);
}

bool Lane::campaign_stopped(const Job& job) const
{
    return context_.settings()->stopped(job.entry.tenant, job.entry.campaign).has_value();
}

// One job on this connection, from whatever state it is in. The job is finished, given back or in the queue again when
// it returns. False: no host took the connection.
awaitable<bool> Lane::serve(Connection& connection, Taken& taken)
{
    const JobPtr& job = taken.job;
    if (stopping_ || job->revoked || !context_.lease_holds()) {
        give_back(job, stopping_ ? "stopping" : "stopped");
        co_return true;
    }
    if (campaign_stopped(*job) || job->paused) {
        give_back(job, campaign_stopped(*job) ? kCampaignStopped : kPaused);
        co_return true;
    }
    if (suppressed(*job)) {
        context_.finish({.job = job,
                         .verdict = {.kind = policy::Verdict::Kind::bounce,
                                     .klass = policy::BounceClass::suppressed,
                                     .rule = "suppressed"},
                         .outcome = smtp::Outcome::not_tried(smtp::Phase::mail, {Errc::denied, "suppressed"})});
        co_return true;
    }
    if (connection.session && demands_tls() && !connection.session->tls()) co_await close(connection);
    if (!connection.session) {
        const bool connected = co_await connect(connection, job);
        if (!connected) co_return false;
    }
    co_await send(connection, taken);
    co_return connection.session || site_->waiting.empty();
}

// True: a session stands. False: the job has been dealt with.
awaitable<bool> Lane::connect(Connection& connection, const JobPtr& job)
{
    connection.job = job;
    connection.messages = 0;
    auto opened = co_await open(connection, *job);
    if (!opened) {
        failed(job, opened.error());
        co_return false;
    }
    connection.session = std::move(*opened);
    connection.remote = connection.session->remote();
    ++standing_;
    grow();
    co_return true;
}

awaitable<std::expected<std::unique_ptr<Session>, smtp::Outcome>> Lane::open(Connection& connection, const Job& job)
{
    const dns::Route& route = **job.route;
    smtp::Outcome last =
        smtp::Outcome::lost(smtp::Phase::connect, {Errc::unreachable, "no host has an address of our source's family"});
    for (const Target& target : targets_of(route, source_.address, context_.random)) {
        connection.remote = target.host->name.text() + " (" + target.address.to_string() + ")";
        Endpoint endpoint{.source = source_.address,
                          .target = {target.address, context_.smtp_port},
                          .host = target.host->name,
                          .ehlo_name = source_.ehlo_name};
        auto opened = co_await open_one(connection, std::move(endpoint));
        if (opened) co_return std::move(*opened);
        last = std::move(opened.error());
        if (!policy::try_next_host(last)) break;
    }
    co_return std::unexpected{std::move(last)};
}

// Opportunistic TLS (RFC 7435): where the handshake fails and no policy demands TLS, once more in clear.
awaitable<std::expected<std::unique_ptr<Session>, smtp::Outcome>> Lane::open_one(Connection& connection,
                                                                                 Endpoint target)
{
    // The permit is asked about whatever job the connection has at that time.
    const auto permit = [this, &connection] { return !connection.job->revoked && context_.lease_holds(); };
    SessionOptions options = context_.session;
    options.demand_tls = demands_tls();
    auto opened = co_await Session::open(target, options, permit);
    if (opened || options.demand_tls || !is_tls_failure(opened.error())) co_return std::move(opened);
    log::info("delivery", "tls_failed_trying_clear",
              {{"remote", connection.remote}, {"why", opened.error().error->detail}});
    SessionOptions clear = context_.session;
    clear.starttls = false;
    auto in_clear = co_await Session::open(std::move(target), clear, permit);
    co_return std::move(in_clear);
}

void Lane::failed(const JobPtr& job, const smtp::Outcome& outcome)
{
    if (connections_ > 1 && !stopping_) {
        // The server has enough of our connections: the others take the job, or fail in their turn.
        no_growth_before_ = std::chrono::steady_clock::now() + kGrowthPause;
        return put_back(job);
    }
    const policy::Verdict verdict = decide(outcome);
    react(verdict);
    const bool ours = verdict.kind == policy::Verdict::Kind::give_back;
    Finished finished{.job = job, .verdict = verdict, .outcome = outcome};
    finished.sign = ours ? LaneSign::none : LaneSign::refused;
    closed_ = !ours;
    context_.finish(std::move(finished));
    for (const JobPtr& waiting : queue_.take_all()) give_back(waiting, ours ? "local-fault" : "lane-backoff");
}

// Nearly all mail is: a coroutine of its own would cost more than it.
bool Lane::made_at_once(Taken& taken)
{
    taken.draft = context_.maker.draft_at_once(*taken.job);
    if (!taken.draft) return false;
    Result<MessageMaker::Draft>& draft = *taken.draft;
    if (draft && draft->audit_wanted) return false;
    set_mail(taken, draft ? Result<std::string>{std::move(draft->message)} : std::unexpected{draft.error()});
    return true;
}

awaitable<void> Lane::make(Taken& taken)
{
    Result<std::string> message = co_await context_.maker.make(taken.job, std::move(taken.draft));
    set_mail(taken, std::move(message));
    taken.made.cancel();
}

void Lane::set_mail(Taken& taken, Result<std::string> message) const
{
    const Job& job = *taken.job;
    crash_point("delivery.prepare.after");
    if (message)
        taken.mail = std::make_shared<const Mail>(Envelope{.sender = job.sender, .recipients = {job.entry.to}},
                                                  std::move(*message));
    else
        taken.mail = std::unexpected{message.error()};
}

// Takes the job that this connection sends next, and begins to make its mail: unless somebody else may have it sooner.
void Lane::take_next(Connection& connection)
{
    const bool others_wait = !idle_.empty() || !site_->waiting.empty();
    const bool last_one = connection.messages + 1 >= limits().messages_per_connection;
    if (others_wait || last_one || stopping_ || queue_.empty()) return;
    if (!connection.session->capabilities().pipelining) return;
    connection.next = std::make_shared<Taken>(context_.executor, queue_.pop());
    if (made_at_once(*connection.next)) return;
    auto run = [](std::shared_ptr<Lane> self, std::shared_ptr<Taken> taken) -> awaitable<void> {
        co_await self->make(*taken);
    };
    asio::co_spawn(context_.executor, run(shared_from_this(), connection.next), asio::detached);
}

// What may go out behind the last octet of the body that is being sent.
MailPtr Lane::ready_next(const Connection& connection) const
{
    const std::shared_ptr<Taken>& next = connection.next;
    if (!next || !next->mail || !*next->mail) return nullptr;
    const Job& job = *next->job;
    if (stopping_ || job.revoked || job.paused || suppressed(job) || campaign_stopped(job)) return nullptr;
    return **next->mail;
}

// The connection is over and has sent nothing of what it took.
awaitable<void> Lane::return_next(Connection& connection)
{
    if (!connection.next) co_return;
    const std::shared_ptr<Taken> taken = co_await next(connection);
    if (stopping_)
        give_back(taken->job, "stopping");
    else if (closed_)
        give_back(taken->job, "lane-backoff");
    else
        put_back(taken->job);
}

awaitable<void> Lane::send(Connection& connection, Taken& taken)
{
    const JobPtr& job = taken.job;
    connection.job = job;
    if (!taken.mail && !made_at_once(taken)) co_await make(taken);
    const Result<MailPtr>& mail = *taken.mail;
    if (!mail) {
        context_.finish({.job = job,
                         .verdict = policy::decide_preparation(mail.error()),
                         .outcome = smtp::Outcome::not_tried(smtp::Phase::mail, mail.error()),
                         .sign = LaneSign::connected});
        co_return;
    }
    take_next(connection);
    if (!co_await last_one_told(connection)) co_return give_back(job, "stopped");
    if (campaign_stopped(*job)) co_return give_back(job, kCampaignStopped); // while we connected, or waited for Redis
    crash_point("delivery.deliver.before");
    Report sent = co_await connection.session->deliver(*mail, [this, &connection] { return ready_next(connection); });
    crash_point("delivery.deliver.after");
    report(connection, job, std::move(sent.outcomes.front()));
    if (!sent.reusable)
        drop(connection);
    else if (connection.messages >= limits().messages_per_connection || (!connection.session->tls() && demands_tls()))
        co_await close(connection);
}

void Lane::report(Connection& connection, const JobPtr& job, smtp::Outcome outcome)
{
    const bool used_before = connection.messages++ > 0;
    const bool spoken_of = outcome.kind != smtp::Outcome::Kind::not_tried;
    const policy::Verdict verdict = decide(outcome);
    react(verdict);
    std::function<void()> when_told;
    if (outcome.may_be_duplicate || verdict.kind == policy::Verdict::Kind::delivered) {
        connection.untold = std::make_shared<Untold>(context_.executor);
        when_told = [tell = &context_.tell, untold = connection.untold] { (*tell)(untold); };
    }
    // A connection that the server closed while it was idle: a fresh one may have the message at once.
    if (!spoken_of && used_before && !stopping_ && !job->revoked && context_.lease_holds()) return put_back(job);
    context_.finish({.job = job,
                     .verdict = verdict,
                     .outcome = std::move(outcome),
                     .remote = connection.remote,
                     .tls = connection.session->tls(),
                     .sign = LaneSign::connected,
                     .when_told = std::move(when_told)});
}

// False: our lease ran out first.
awaitable<bool> Lane::last_one_told(Connection& connection)
{
    const UntoldPtr untold = std::exchange(connection.untold, nullptr);
    while (untold && !untold->told) {
        if (connection.job->revoked || !context_.lease_holds()) co_return false;
        untold->changed.expires_after(kToldCheck);
        co_await untold->changed.async_wait(use_result);
    }
    co_return true;
}

void Lane::drop(Connection& connection)
{
    if (!connection.session) return;
    --standing_;
    connection.session.reset();
}

awaitable<void> Lane::close(Connection& connection)
{
    if (!connection.session) co_return;
    const std::unique_ptr<Session> session = std::move(connection.session);
    --standing_;
    co_await session->quit();
}

double Lane::weight_of(const Job& job) const
{
    const std::shared_ptr<const Settings> settings = context_.settings();
    const auto tenant = settings->tenants.find(job.entry.tenant);
    return tenant == settings->tenants.end() ? 1 : tenant->second.weight;
}

void Lane::put_back(const JobPtr& job)
{
    queue_.put_back(job->entry.tenant, weight_of(*job), static_cast<std::size_t>(job->entry.prio), job);
    wake_one();
}

void Lane::wake_one()
{
    if (idle_.empty()) return;
    idle_.front()->cancel();
    idle_.pop_front();
}

void Lane::give_back(const JobPtr& job, std::string_view rule)
{
    context_.finish({.job = job,
                     .verdict = {.kind = policy::Verdict::Kind::give_back, .rule = rule},
                     .outcome = smtp::Outcome::not_tried(smtp::Phase::connect, {Errc::cancelled, std::string{rule}})});
}

} // namespace penguin::delivery
