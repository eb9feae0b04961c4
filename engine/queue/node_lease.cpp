// SendQueue's part as a node: its name, its lease, other nodes' hands, the minute's tidying.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "engine/base/log.h"
#include "engine/queue/send_queue_state.h"

namespace penguin::queue {

namespace {

constexpr std::size_t kStateMax = 256;         // octets of a node's state text
constexpr std::size_t kTakeoverCallsMax = 200; // script calls for one dead node a heartbeat, 1,000 entries each
constexpr std::size_t kStopCallsMax = 1000;
constexpr Duration kClockSlack = std::chrono::seconds{1}; // within it our own clock is as good as Redis'

bool is_made_of(std::string_view text, std::string_view more)
{
    return std::ranges::all_of(text, [more](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               more.find(c) != std::string_view::npos;
    });
}

// These become parts of keys and of patterns in Lua.
Result<> check(const SendQueue::Options& options)
{
    const std::string& node = options.node.value();
    const std::string& pool = options.pool.value();
    if (options.prefix.size() > 64 || !is_made_of(options.prefix, "_.:-"))
        return fail(Errc::bad_value, "prefix: at most 64 of letters, digits, _ . : -");
    if (pool.empty() || pool.size() > 32 || !is_made_of(pool, "-"))
        return fail(Errc::bad_value, "pool: 1 to 32 letters, digits and hyphens");
    if (node.empty() || node.size() > 64 || !is_made_of(node, ".-"))
        return fail(Errc::bad_value, "node: 1 to 64 letters, digits, dots and hyphens");
    if (options.incarnation.size() < 2 || options.incarnation.size() > 64 || !is_made_of(options.incarnation, ".-"))
        return fail(Errc::bad_value, "incarnation: 2 to 64 letters, digits, dots and hyphens");
    if (options.enqueue_limit <= 0 || options.enqueue_limit > 1)
        return fail(Errc::bad_value, "enqueue_limit: more than 0, at most 1");
    return Result<>{};
}

// Percent of maxmemory; 0 without a bound.
unsigned memory_used_in(std::string_view info)
{
    const auto number = [info](std::string_view name) {
        const std::string_view text = info_field(info, name);
        std::uint64_t value = 0;
        std::from_chars(text.data(), text.data() + text.size(), value);
        return value;
    };
    const std::uint64_t most = number("maxmemory");
    return most == 0 ? 0 : static_cast<unsigned>(number("used_memory") * 100 / most);
}

} // namespace

void SendQueue::State::renew_lease(std::chrono::nanoseconds asked)
{
    if (!active) return;
    // Redis counts from when it heard us, which was later than `asked`; a twentieth less covers clocks of unequal speed.
    const auto lease = std::chrono::duration_cast<std::chrono::nanoseconds>(options.lease) * 19 / 20;
    lease_until.store((asked + lease).count(), std::memory_order_relaxed);
}

// Exact to a round trip, which is enough: what matters are clocks that are wrong by minutes.
void SendQueue::State::hear_time(const RedisReply& ms)
{
    clock_offset = from_unix_ms(ms.integer()) - wall_now();
    if (std::chrono::abs(clock_offset) < kClockSlack) clock_offset = Duration{0};
}

WallTime SendQueue::now() const { return state_->now(); }
unsigned SendQueue::memory_used() const { return state_->memory_used; }

awaitable<Result<unsigned>> SendQueue::ask_memory_used()
{
    const Result<RedisReply> memory = co_await state_->scripts.command({"INFO", "memory"});
    if (!memory) co_return std::unexpected{memory.error()};
    co_return memory_used_in(memory->text());
}

void SendQueue::State::lose_name()
{
    joined_generation = 0;
    active = false;
    lease_until.store(0, std::memory_order_relaxed);
}

awaitable<Result<RedisReply>> SendQueue::State::run_as_node(const Script& script, std::vector<std::string> arguments)
{
    if (joined_generation == 0) co_return fail(Errc::stale, "the node has no name in Redis: it must join");
    if (joined_generation != redis.generation())
        co_return fail(Errc::unavailable, "the node has not joined again since its connection to Redis was lost");
    Result<RedisReply> reply = co_await scripts.run(script, std::move(arguments));
    if (!reply && reply.error().code == Errc::stale) lose_name();
    co_return reply;
}

void SendQueue::keeps_journal(std::string identity) { state_->journal = std::move(identity); }

bool SendQueue::joined() const
{
    return state_->joined_generation != 0 && state_->joined_generation == state_->redis.generation();
}

bool SendQueue::lease_holds() const { return boot_now().count() < state_->lease_until.load(std::memory_order_relaxed); }

awaitable<Result<>> SendQueue::check_redis()
{
    const Result<RedisReply> memory = co_await state_->scripts.command({"INFO", "memory"});
    if (!memory) co_return fail(memory.error(), "INFO memory");
    const Result<RedisReply> persistence = co_await state_->scripts.command({"INFO", "persistence"});
    if (!persistence) co_return fail(persistence.error(), "INFO persistence");
    state_->memory_used = memory_used_in(memory->text());
    const std::string_view policy = info_field(memory->text(), "maxmemory_policy");
    std::string why;
    if (policy != "noeviction")
        why += fmt::format("maxmemory-policy is {}: it may throw queued mail away; set it to noeviction. ", policy);
    if (info_field(persistence->text(), "aof_enabled") != "1")
        why += "appendonly is off: a restart loses queued mail; set it to yes. ";
    if (info_field(memory->text(), "maxmemory") == "0")
        why += "maxmemory is 0: nothing bounds the queue before the machine's memory ends; set it. ";
    if (why.empty()) co_return Result<>{};
    why.pop_back();
    if (!state_->options.allow_unsafe_redis) co_return fail(Errc::refused, "Redis may lose mail: " + why);
    log::error("queue", "redis_is_unsafe", {{"pool", state_->options.pool.value()}, {"why", why}});
    co_return Result<>{};
}

awaitable<Result<Joined>> SendQueue::join(bool crashed_before)
{
    const std::uint64_t generation = state_->redis.generation();
    Result<> fine = check(state_->options);
    if (fine) fine = co_await check_redis();
    if (fine) fine = co_await state_->scripts.load_all();
    if (!fine) co_return std::unexpected{fine.error()};
    state_->join_asked = boot_now();
    std::vector<std::string> arguments{state_->options.node.value(), state_->options.incarnation, state_->contract(),
                                       state_->lease_ms(),           crashed_before ? "1" : "0",  state_->journal};
    const Result<RedisReply> reply = co_await state_->scripts.run(scripts::start, std::move(arguments));
    if (!reply) co_return std::unexpected{reply.error()};
    const RedisReply::Array& answer = reply->array();
    const std::string verdict = answer.empty() ? "" : answer[0].text();
    if (verdict == "held" && answer.size() == 2)
        co_return fail(Errc::stale,
                       fmt::format("another incarnation of node {} holds its name; its lease ends in {} ms",
                                   state_->options.node.value(), answer[1].integer()));
    if (verdict == "version" && answer.size() == 3)
        co_return fail(Errc::refused, fmt::format("node {} speaks version {} of the queue's contract, we speak {}",
                                                  answer[1].text(), answer[2].integer(), state_->options.contract));
    if (verdict != "ok" || answer.size() != 6)
        co_return fail(Errc::malformed, "start: an answer that is not the script's");
    if (generation != state_->redis.generation())
        co_return fail(Errc::unavailable, "the connection to Redis changed while the node joined");
    const Result<StreamPosition> end = StreamPosition::parse(answer[3].text());
    if (!end) co_return std::unexpected{end.error()};
    Joined joined{.epoch_is_new = answer[4].integer() == 1,
                  .told = static_cast<std::uint64_t>(answer[2].integer()),
                  .stream_end = *end};
    joined.data_lost = joined.epoch_is_new || (!state_->epoch.empty() && state_->epoch != answer[1].text());
    state_->epoch = answer[1].text();
    state_->joined_generation = generation;
    state_->hear_time(answer[5]);
    co_return joined;
}

awaitable<Result<std::vector<std::string>>> SendQueue::recovered()
{
    std::vector<std::string> arguments{state_->options.node.value(), state_->options.incarnation, state_->contract(),
                                       state_->lease_ms(), state_->epoch};
    const Result<RedisReply> reply = co_await state_->run_as_node(scripts::recover, std::move(arguments));
    if (!reply) co_return std::unexpected{reply.error()};
    state_->active = true;
    state_->renew_lease(state_->join_asked);
    std::vector<std::string> awaited;
    for (const RedisReply& node : reply->array()) awaited.push_back(node.text());
    co_return awaited;
}

awaitable<Result<>> SendQueue::start(bool crashed_before)
{
    const Result<Joined> joined = co_await join(crashed_before);
    if (!joined) co_return std::unexpected{joined.error()};
    const Result<std::vector<std::string>> awaited = co_await recovered();
    if (!awaited) co_return std::unexpected{awaited.error()};
    if (!awaited->empty()) co_return fail(Errc::unavailable, "node " + awaited->front() + " has not recovered yet");
    co_return Result<>{};
}

awaitable<Result<std::vector<Token>>> SendQueue::rehand(std::span<const Held> entries)
{
    std::vector<Token> lost;
    while (!entries.empty()) {
        const auto part = entries.first(std::min(entries.size(), kRehandMax));
        entries = entries.subspan(part.size());
        std::vector<std::string> arguments{state_->options.node.value(), state_->options.incarnation};
        for (const Held& one : part) {
            arguments.push_back(one.token);
            arguments.push_back(packed(one.entry));
            arguments.push_back(one.place);
        }
        const Result<RedisReply> reply = co_await state_->run_as_node(scripts::rehand, std::move(arguments));
        if (!reply) co_return std::unexpected{reply.error()};
        for (const RedisReply& token : reply->array()) lost.push_back(token.text());
    }
    co_return lost;
}

awaitable<Result<>> SendQueue::stop()
{
    for (std::size_t call = 0; call < kStopCallsMax; ++call) {
        std::vector<std::string> arguments{state_->options.node.value(), state_->options.incarnation};
        const Result<RedisReply> reply = co_await state_->scripts.run(scripts::stop, std::move(arguments));
        if (!reply) co_return std::unexpected{reply.error()};
        if (reply->integer() < 0) continue; // more to move
        state_->lose_name();
        if (reply->integer() == 0) co_return Result<>{};
        co_return fail(Errc::conflict,
                       fmt::format("{} entries were in the hand: another node takes them over", reply->integer()));
    }
    co_return fail(Errc::timeout, "stop: too much lies aside for this node; another node takes it over");
}

awaitable<Result<>> SendQueue::heartbeat(std::string_view state)
{
    const auto asked = boot_now();
    std::vector<std::string> arguments{state_->options.node.value(),
                                       state_->options.incarnation,
                                       state_->contract(),
                                       state_->lease_ms(),
                                       std::string{state.substr(0, kStateMax)},
                                       state_->active ? state_->epoch : "-"};
    const Result<RedisReply> reply = co_await state_->run_as_node(scripts::heartbeat, std::move(arguments));
    if (!reply) co_return std::unexpected{reply.error()};
    state_->renew_lease(asked);
    const RedisReply::Array& answer = reply->array();
    if (answer.size() < 2) co_return fail(Errc::malformed, "heartbeat: an answer that is not the script's");
    state_->hear_time(answer[0]);
    state_->memory_used = static_cast<unsigned>(answer[1].integer());
    for (std::size_t i = 2; i < answer.size(); ++i) {
        Result<> taken = co_await state_->take_over(answer[i].text());
        if (!taken) co_return taken;
    }
    co_return Result<>{};
}

awaitable<Result<>> SendQueue::State::take_over(std::string node)
{
    std::int64_t moved = 0;
    bool more = true;
    for (std::size_t call = 0; more && call < kTakeoverCallsMax; ++call) {
        std::vector<std::string> arguments{node, lease_ms()};
        const Result<RedisReply> reply = co_await scripts.run(scripts::takeover, std::move(arguments));
        if (!reply) co_return std::unexpected{reply.error()};
        const RedisReply::Array& answer = reply->array();
        if (answer.size() != 2) co_return fail(Errc::malformed, "takeover: an answer that is not the script's");
        moved += answer[0].integer();
        more = answer[1].integer() == 1;
    }
    log::warning("queue", "node_taken_over", {{"node", node}, {"entries", moved}, {"more", more}});
    co_return Result<>{};
}

awaitable<Result<>> SendQueue::janitor()
{
    constexpr std::string_view kLeaseMs = "55000"; // a minute's turn, less a little
    std::vector<std::string> lock{"janitor", state_->owner(), std::string{kLeaseMs}, state_->contract(),
                                  state_->lease_ms()};
    const Result<RedisReply> locked = co_await state_->scripts.run(scripts::lock, std::move(lock));
    if (!locked) co_return std::unexpected{locked.error()};
    if (locked->integer() != 1) co_return Result<>{};
    const std::string start = state_->scripts.key("ready:");
    std::string cursor = "0";
    do {
        const Result<RedisReply> page =
            co_await state_->scripts.command({"SCAN", cursor, "MATCH", start + "*", "COUNT", "1000"});
        if (!page) co_return std::unexpected{page.error()};
        if (page->array().size() != 2) co_return fail(Errc::malformed, "SCAN: an answer that is not Redis'");
        cursor = page->array()[0].text();
        std::vector<std::string> found;
        for (const RedisReply& key : page->array()[1].array()) {
            const std::string_view name = std::string_view{key.text()}.substr(start.size());
            if (name.size() < 3 || name[name.size() - 2] != ':' || name.back() < '0' || name.back() > '2') continue;
            found.emplace_back(name.substr(0, name.size() - 2));
            found.emplace_back(1, name.back());
        }
        if (found.empty()) continue;
        const Result<RedisReply> added = co_await state_->scripts.run(scripts::readd, std::move(found));
        if (!added) co_return std::unexpected{added.error()};
        if (added->integer() > 0) log::info("queue", "tenants_added_again", {{"count", added->integer()}});
    } while (cursor != "0");
    co_return Result<>{};
}

} // namespace penguin::queue
