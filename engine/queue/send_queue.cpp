#include "engine/queue/send_queue.h"

#include <algorithm>
#include <charconv>
#include <set>

#include <fmt/format.h>

#include "engine/base/log.h"
#include "engine/queue/send_queue_state.h"

namespace penguin::queue {

namespace {

std::string text_of(std::chrono::milliseconds time) { return std::to_string(time.count()); }

std::vector<std::string> arguments_of(const std::vector<std::string>& head, std::span<const Token> tokens)
{
    std::vector<std::string> out = head;
    out.insert(out.end(), tokens.begin(), tokens.end());
    return out;
}

struct Unpacked {
    std::string_view tenant;
    std::string_view entry;
    int prio = 0;
};

Result<Unpacked> unpack(std::string_view value)
{
    const auto end = value.find('\n');
    if (value.empty() || value[0] < '0' || value[0] > '2' || end == std::string_view::npos)
        return fail(Errc::malformed, "not an entry behind priority and tenant");
    return Unpacked{.tenant = value.substr(1, end - 1), .entry = value.substr(end + 1), .prio = value[0] - '0'};
}

// The list that an entry lies in says whose it is and how urgent; an entry that says another tenant is somebody's mistake
// or worse.
Result<Entry> entry_of(std::string_view value, WallTime now)
{
    const Result<Unpacked> parts = unpack(value);
    if (!parts) return std::unexpected{parts.error()};
    Result<Entry> entry = Entry::parse(parts->entry);
    if (!entry) return entry;
    if (entry->tenant.value().text() != parts->tenant)
        return fail(Errc::bad_value, "tenant: not the one whose list the entry was in");
    entry->prio = static_cast<Priority>(parts->prio);
    if (entry->queued == WallTime{}) entry->queued = now; // a plain producer need not say it
    return entry;
}

} // namespace

std::string place_of(const CampaignKey& campaign)
{
    return fmt::format("{}{}:{}", kCampaignPlace, campaign.tenant.value().text(), campaign.id.value().text());
}

std::string waiting_place(const std::string& place, Priority prio)
{
    switch (prio) {
    case Priority::high: return "high:" + place;
    case Priority::normal: return place;
    case Priority::low: return "low:" + place;
    }
    return place;
}

std::string packed(const Entry& entry)
{
    return fmt::format("{}{}\n{}", static_cast<int>(entry.prio), entry.tenant.value().text(), entry.to_json());
}

WrittenSettlement written(const Settlement& settlement)
{
    return {.sequence = settlement.sequence,
            .token = settlement.token,
            .message = settlement.event.message.text(),
            .event = settlement.event.to_json(),
            .retry = settlement.retry ? packed(*settlement.retry) : "",
            .retry_at_ms = settlement.retry                  ? to_unix_ms(settlement.retry_at)
                           : was_sent(settlement.event.kind) ? 0
                                                             : kNeverSent};
}

SendQueue::State::State(RedisConnection& connection, Options given)
    : options{std::move(given)},
      scripts{connection, options.prefix + "{" + options.pool.value() + "}:", options.call_deadline},
      redis{connection}
{
}

std::string SendQueue::State::lease_ms() const { return text_of(options.lease); }

SendQueue::SendQueue(RedisConnection& redis, Options options)
    : state_{std::make_unique<State>(redis, std::move(options))}
{
}

SendQueue::~SendQueue() = default;

std::uint64_t SendQueue::generation() const { return state_->redis.generation(); }

std::vector<std::string> SendQueue::State::enqueue_head(std::string tenant, std::string whole_epoch) const
{
    return {std::move(tenant), fmt::format("{}", options.enqueue_limit), std::move(whole_epoch), contract(),
            lease_ms()};
}

awaitable<Result<EnqueueReport>> SendQueue::enqueue(std::span<const Entry> entries, std::string epoch)
{
    EnqueueReport report;
    if (entries.empty()) co_return report;
    const TenantId tenant = entries.front().tenant;
    std::vector<std::string> texts;
    texts.reserve(entries.size());
    for (const Entry& entry : entries) {
        if (entry.tenant != tenant) co_return fail(Errc::bad_value, "enqueue: all entries must be of one tenant");
        texts.push_back(entry.to_json());
        if (texts.back().size() > kEntryMax)
            co_return fail(Errc::too_long, fmt::format("entry {}: at most {} octets", entry.id.text(), kEntryMax));
    }
    for (std::size_t at = 0; at < entries.size();) {
        std::vector<std::string> arguments = state_->enqueue_head(tenant.value().text(), epoch);
        std::size_t octets = 0;
        std::optional<BatchId> batch; // of the message before
        for (std::size_t n = 0; at < entries.size() && n < kEnqueueMax && octets < kEnqueueOctets; ++at, ++n) {
            const Entry& entry = entries[at];
            octets += texts[at].size();
            arguments.push_back(batch == entry.id.batch ? "" : entry.id.batch.value().text());
            batch = entry.id.batch;
            arguments.push_back(std::to_string(entry.id.index));
            arguments.push_back(std::to_string(static_cast<int>(entry.prio)));
            arguments.push_back(entry.not_before ? std::to_string(to_unix_ms(*entry.not_before)) : "0");
            arguments.push_back(std::move(texts[at]));
        }
        const Result<EnqueueReport> part = co_await state_->enqueue(std::move(arguments));
        if (!part) co_return std::unexpected{part.error()};
        report.queued += part->queued;
        report.skipped += part->skipped;
    }
    co_return report;
}

awaitable<Result<EnqueueReport>> SendQueue::State::enqueue(std::vector<std::string> arguments)
{
    const Result<RedisReply> reply = co_await scripts.run(scripts::enqueue, std::move(arguments));
    if (!reply) co_return std::unexpected{reply.error()};
    const RedisReply::Array& answer = reply->array();
    if (answer.size() != 2) co_return fail(Errc::malformed, "enqueue: an answer that is not the script's");
    if (answer[0].integer() == -2)
        co_return fail(Errc::unavailable, "Redis may have lost data: what was read of it is not so any more");
    if (answer[0].integer() < 0)
        co_return fail(Errc::full, fmt::format("Redis uses {} % of its memory", answer[1].integer()));
    co_return EnqueueReport{static_cast<std::size_t>(answer[0].integer()),
                            static_cast<std::size_t>(answer[1].integer())};
}

awaitable<Result<>> SendQueue::may_enqueue()
{
    const Result<EnqueueReport> nothing = co_await state_->enqueue(state_->enqueue_head("", ""));
    if (!nothing) co_return std::unexpected{nothing.error()};
    co_return Result<>{};
}

awaitable<Result<std::vector<Claimed>>> SendQueue::claim(const ClaimRequest& request)
{
    if (request.max == 0) co_return std::vector<Claimed>{};
    std::vector<std::string> arguments{state_->options.node.value(),
                                       state_->options.incarnation,
                                       state_->lease_ms(),
                                       std::to_string(std::min(request.max, kClaimMax)),
                                       std::to_string(std::min(request.ready_max, kClaimMax)),
                                       std::to_string(std::clamp<std::size_t>(request.per_tenant, 1, kClaimMax)),
                                       std::to_string(std::clamp<std::size_t>(request.per_place, 1, kClaimMax)),
                                       std::to_string(kEntryMax)};
    for (const auto& [place, room] : request.room) arguments.insert(arguments.end(), {place, std::to_string(room)});
    Result<RedisReply> reply = co_await state_->run_as_node(scripts::claim, std::move(arguments));
    if (!reply) co_return std::unexpected{reply.error()};
    Sorted sorted = state_->sort_out(*reply);
    co_await state_->put_away(sorted);
    co_return std::move(sorted.good);
}

// The caller compares it with its memory, which goes on changing: so nothing is awaited between the reading and the return.
awaitable<Result<std::vector<Claimed>>> SendQueue::hand()
{
    constexpr int kReadsMax = 3;
    const std::string key = state_->scripts.key("hand:" + state_->options.node.value());
    for (int reads = 1;; ++reads) {
        const Result<RedisReply> reply = co_await state_->scripts.command({"HGETALL", key});
        if (!reply) co_return std::unexpected{reply.error()};
        Sorted sorted = state_->sort_out(*reply);
        if (sorted.clean() || reads == kReadsMax) co_return std::move(sorted.good);
        co_await state_->put_away(sorted);
    }
}

Sorted SendQueue::State::sort_out(const RedisReply& reply) const
{
    Sorted sorted;
    const RedisReply::Array& flat = reply.array();
    sorted.good.reserve(flat.size() / 2);
    const WallTime now_there = now();
    for (std::size_t i = 0; i + 1 < flat.size(); i += 2) {
        const std::string& token = flat[i].text();
        Result<Entry> entry = entry_of(flat[i + 1].text(), now_there);
        if (!entry)
            sorted.bad.emplace_back(token, fmt::format("{}: {}", name_of(entry.error().code), entry.error().detail));
        else if (entry->not_before && *entry->not_before > now_there)
            sorted.early.push_back({token, std::move(*entry)});
        else
            sorted.good.push_back({token, std::move(*entry)});
    }
    return sorted;
}

// Should a call fail, what it was about stays in the hand, and the next comparison meets it again.
awaitable<void> SendQueue::State::put_away(Sorted& sorted)
{
    if (!sorted.bad.empty()) {
        std::vector<std::string> arguments{options.node.value(), options.incarnation};
        for (const auto& [token, why] : sorted.bad) {
            log::warning("queue", "entry_buried", {{"pool", options.pool.value()}, {"why", why}});
            arguments.push_back(token);
            arguments.push_back(why);
        }
        const Result<RedisReply> buried = co_await run_as_node(scripts::bury, std::move(arguments));
        if (!buried) log::warning("queue", "bury_failed", {{"why", buried.error().detail}});
    }
    if (sorted.early.empty()) co_return;
    std::vector<Postponing> postponings;
    postponings.reserve(sorted.early.size());
    for (const Claimed& one : sorted.early) postponings.push_back({one.token, *one.entry.not_before});
    const Result<std::vector<Token>> went = co_await postpone(postponings);
    if (!went) {
        log::warning("queue", "postpone_failed", {{"why", went.error().detail}});
        co_return;
    }
    const std::set<Token> gone{went->begin(), went->end()};
    for (Claimed& one : sorted.early)
        if (!gone.contains(one.token)) sorted.good.push_back(std::move(one));
}

awaitable<Result<std::vector<Token>>> SendQueue::State::postpone(std::span<const Postponing> postponings)
{
    std::vector<std::string> arguments{options.node.value(), options.incarnation};
    for (const Postponing& one : postponings) {
        arguments.push_back(one.token);
        arguments.push_back(std::to_string(to_unix_ms(one.until)));
    }
    const Result<RedisReply> reply = co_await run_as_node(scripts::postpone, std::move(arguments));
    if (!reply) co_return std::unexpected{reply.error()};
    std::vector<Token> gone;
    for (const RedisReply& token : reply->array()) gone.push_back(token.text());
    co_return gone;
}

awaitable<Result<std::vector<Token>>> SendQueue::postpone(std::vector<Postponing> postponings)
{
    std::vector<Token> gone;
    for (std::span<const Postponing> rest{postponings}; !rest.empty();) {
        const auto part = rest.first(std::min(rest.size(), kTokensMax));
        rest = rest.subspan(part.size());
        const Result<std::vector<Token>> some = co_await state_->postpone(part);
        if (!some) co_return std::unexpected{some.error()};
        gone.insert(gone.end(), some->begin(), some->end());
    }
    co_return gone;
}

awaitable<Result<SettleReport>> SendQueue::settle(std::span<const Settlement> settlements)
{
    std::vector<WrittenSettlement> all;
    all.reserve(settlements.size());
    for (const Settlement& one : settlements) all.push_back(written(one));
    co_return co_await settle(all, false);
}

awaitable<Result<SettleReport>> SendQueue::settle(std::span<const WrittenSettlement> settlements, bool again)
{
    SettleReport report;
    while (!settlements.empty()) {
        const auto part = settlements.first(std::min(settlements.size(), kTokensMax));
        settlements = settlements.subspan(part.size());
        const Result<SettleReport> told = co_await state_->settle(part, again);
        if (!told) co_return std::unexpected{told.error()};
        report.settled += told->settled;
        report.late += told->late;
        report.position = told->position;
    }
    co_return report;
}

awaitable<Result<SettleReport>> SendQueue::State::settle(std::span<const WrittenSettlement> part, bool again)
{
    constexpr std::size_t kEventsAt = 5; // of the arguments
    constexpr std::size_t kCountsAt = 6;
    constexpr std::string_view kDoneSeconds = "604800"; // a week: longer than any entry lives (DESIGN: 4 d 12 h)
    std::vector<std::string> arguments{
        options.node.value(), options.incarnation, journal, std::string{kDoneSeconds}, again ? "1" : "", "", ""};
    std::string events;
    std::size_t place = 0;
    for (const WrittenSettlement& one : part) {
        ++place;
        if (const std::string count = warmup_count_of(one.event); !count.empty())
            arguments[kCountsAt] += fmt::format("{} {}\n", place, count);
        events += events.empty() ? '[' : ',';
        events += one.event;
        arguments.push_back(one.token);
        arguments.push_back(one.message);
        arguments.push_back(std::to_string(one.event.size()));
        arguments.push_back(std::to_string(one.sequence));
        arguments.push_back(std::to_string(one.retry_at_ms));
        arguments.push_back(one.retry);
    }
    arguments[kEventsAt] = std::move(events) + "]";
    const Result<RedisReply> reply = co_await run_as_node(scripts::settle, std::move(arguments));
    if (!reply) co_return std::unexpected{reply.error()};
    const RedisReply::Array& answer = reply->array();
    if (answer.size() != 3) co_return fail(Errc::malformed, "settle: an answer that is not the script's");
    const Result<StreamPosition> position = StreamPosition::parse(answer[2].text());
    if (!position) co_return std::unexpected{position.error()};
    co_return SettleReport{static_cast<std::size_t>(answer[0].integer()), static_cast<std::size_t>(answer[1].integer()),
                           *position};
}

awaitable<Result<WarmupCounts>> SendQueue::warmup_counts(std::string source, std::chrono::sys_days day)
{
    const std::string name = fmt::format("warmup:{}:{}", source, day_text(day));
    const Result<RedisReply> reply = co_await state_->scripts.command({"HGETALL", state_->scripts.key(name)});
    if (!reply) co_return std::unexpected{reply.error()};
    WarmupCounts counts;
    const RedisReply::Array& fields = reply->array();
    for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
        std::uint64_t count = 0;
        const std::string& text = fields[i + 1].text();
        std::from_chars(text.data(), text.data() + text.size(), count);
        counts.emplace(fields[i].text(), count);
    }
    co_return counts;
}

awaitable<Result<std::size_t>> SendQueue::release(std::span<const Token> tokens, std::optional<WallTime> avoid_until)
{
    const std::vector<std::string> head{state_->options.node.value(), state_->options.incarnation, state_->lease_ms(),
                                        std::to_string(avoid_until ? to_unix_ms(*avoid_until) : 0)};
    std::size_t released = 0;
    // The last part first, since each goes to the head of the lists.
    while (!tokens.empty()) {
        const auto part = tokens.last(std::min(tokens.size(), kTokensMax));
        tokens = tokens.first(tokens.size() - part.size());
        const Result<RedisReply> reply = co_await state_->run_as_node(scripts::release, arguments_of(head, part));
        if (!reply) co_return std::unexpected{reply.error()};
        released += static_cast<std::size_t>(reply->integer());
    }
    co_return released;
}

awaitable<Result<std::size_t>> SendQueue::park(std::span<const Parking> parkings)
{
    // "node:" begins the places of what was put aside for a node, "high:" and "low:" those of a priority, kCampaignPlace those of
    // campaigns.
    const auto is_bad = [](const Parking& one) {
        if (one.place.starts_with(kCampaignPlace)) return false;
        return one.place.empty() || one.place.size() > 255 || one.place.contains(':');
    };
    if (std::ranges::any_of(parkings, is_bad))
        co_return fail(Errc::bad_value, "place: 1 to 255 octets without a colon");
    std::size_t parked = 0;
    while (!parkings.empty()) {
        const auto part = parkings.first(std::min(parkings.size(), kTokensMax));
        parkings = parkings.subspan(part.size());
        std::vector<std::string> arguments{state_->options.node.value(), state_->options.incarnation};
        for (const Parking& one : part) arguments.insert(arguments.end(), {one.token, one.place});
        const Result<RedisReply> reply = co_await state_->run_as_node(scripts::park, std::move(arguments));
        if (!reply) co_return std::unexpected{reply.error()};
        parked += static_cast<std::size_t>(reply->integer());
    }
    co_return parked;
}

} // namespace penguin::queue
