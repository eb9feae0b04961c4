// SendQueue's part for the ledger and the control plane: events, cancel, weights, contents, sizes.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>

#include "engine/base/log.h"
#include "engine/queue/event_fields.h"
#include "engine/queue/send_queue_state.h"

namespace penguin::queue {

namespace {

constexpr std::size_t kConfirmMax = 5000; // messages a script call
constexpr std::size_t kCancelMax = 1000;  // list values that one script call looks at
constexpr std::size_t kSizesMax = 500;    // lists that one script call measures
constexpr double kWeightLeast = 0.01;
constexpr double kWeightMost = 1000;

// An event that does not parse was not ours; it must not stop the ledger.
void append_events(std::vector<Event>& out, std::string_view array_text, bool late)
{
    boost::system::error_code code;
    const boost::json::value array = boost::json::parse(array_text, code);
    if (code || !array.is_array()) {
        log::error("queue", "events_unreadable", {{"octets", array_text.size()}});
        return;
    }
    for (const boost::json::value& value : array.get_array()) {
        Result<Event> event = value.is_object() ? event_of(value.get_object()) : fail(Errc::malformed, "not an object");
        if (!event) {
            log::error("queue", "event_unreadable", {{"why", event.error().detail}});
            continue;
        }
        event->late = event->late || late;
        out.push_back(std::move(*event));
    }
}

// For the script `cancel`: the tenant, the batch, and which of its messages. Errors: bad_value.
Result<std::vector<std::string>> target_of(TenantId tenant, BatchId batch, std::span<const MessageId> messages)
{
    std::string map;
    for (const MessageId& message : messages) {
        if (message.batch != batch) return fail(Errc::bad_value, "cancel: all messages must be of the batch");
        if (message.index >= map.size()) map.resize(message.index + 1, '0');
        map[message.index] = '1';
    }
    return std::vector<std::string>{tenant.value().text(), batch.value().text(), std::move(map)};
}

// Nothing: not what place_of gives.
std::optional<CampaignKey> campaign_of(std::string_view place)
{
    constexpr std::size_t kUuidOctets = 36;
    const std::size_t tenant_at = kCampaignPlace.size();
    const std::size_t campaign_at = tenant_at + kUuidOctets + 1;
    if (!place.starts_with(kCampaignPlace) || place.size() <= campaign_at) return std::nullopt;
    const Result<Uuid> tenant = Uuid::parse(place.substr(tenant_at, kUuidOctets));
    const Result<Uuid> campaign = Uuid::parse(place.substr(campaign_at));
    if (!tenant || !campaign) return std::nullopt;
    return CampaignKey{TenantId{*tenant}, CampaignId{*campaign}};
}

} // namespace

awaitable<Result<SendQueue::StreamEvents>> SendQueue::read_events(std::string_view after, std::size_t entries_max)
{
    StreamEvents out{std::string{after}, {}};
    const std::string from = after.empty() ? "-" : "(" + std::string{after};
    const Result<RedisReply> reply = co_await state_->scripts.command(
        {"XRANGE", state_->scripts.key("events"), from, "+", "COUNT", std::to_string(entries_max)});
    if (!reply) co_return std::unexpected{reply.error()};
    for (const RedisReply& row : reply->array()) {
        if (row.array().size() != 2) co_return fail(Errc::malformed, "XRANGE: an answer that is not Redis'");
        out.position = row.array()[0].text();
        const RedisReply::Array& fields = row.array()[1].array();
        for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
            const std::string& name = fields[i].text();
            if (name == "o" || name == "l") append_events(out.events, fields[i + 1].text(), name == "l");
        }
    }
    co_return out;
}

awaitable<Result<>> SendQueue::confirm_events(std::string_view position, std::span<const MessageId> final_messages)
{
    const Result<StreamPosition> id = StreamPosition::parse(position);
    if (!id) co_return std::unexpected{id.error()};
    const std::string keep = StreamPosition{id->ms, id->sequence + 1}.text();
    const std::string committed{position};
    std::vector<MessageId> sorted{final_messages.begin(), final_messages.end()};
    std::ranges::sort(sorted);
    std::size_t at = 0;
    do { // the bits first, the position with the last call: a crash in between only has them cleared again
        const std::size_t end = std::min(at + kConfirmMax, sorted.size());
        std::vector<std::string> arguments{end == sorted.size() ? committed : "", keep};
        while (at < end) {
            const std::size_t first = at;
            while (at < end && sorted[at].batch == sorted[first].batch) ++at;
            arguments.push_back(sorted[first].batch.value().text());
            arguments.push_back(std::to_string(at - first));
            for (std::size_t i = first; i < at; ++i) arguments.push_back(std::to_string(sorted[i].index));
        }
        const Result<RedisReply> reply = co_await state_->scripts.run(scripts::confirm, std::move(arguments));
        if (!reply) co_return std::unexpected{reply.error()};
    } while (at < sorted.size());
    co_return Result<>{};
}

awaitable<Result<bool>> SendQueue::hold_ledger_lock() { return hold_lock("ledger-lock"); }
awaitable<Result<bool>> SendQueue::hold_reconciler_lock() { return hold_lock("reconciler-lock"); }

awaitable<Result<bool>> SendQueue::hold_lock(std::string name)
{
    std::vector<std::string> arguments{std::move(name), state_->owner(), state_->lease_ms(), state_->contract(),
                                       state_->lease_ms()};
    const Result<RedisReply> reply = co_await state_->scripts.run(scripts::lock, std::move(arguments));
    if (!reply) co_return std::unexpected{reply.error()};
    co_return reply->integer() == 1;
}

awaitable<Result<std::string>> SendQueue::ledger_position()
{
    const Result<RedisReply> reply = co_await state_->scripts.command({"GET", state_->scripts.key("ledger")});
    if (!reply) co_return std::unexpected{reply.error()};
    co_return reply->text();
}

awaitable<Result<Epoch>> SendQueue::epoch()
{
    const Result<RedisReply> reply =
        co_await state_->scripts.command({"MGET", state_->scripts.key("epoch"), state_->scripts.key("reconciled")});
    if (!reply) co_return std::unexpected{reply.error()};
    if (reply->array().size() != 2) co_return fail(Errc::malformed, "MGET: an answer that is not Redis'");
    const std::string& text = reply->array()[0].text(); // "<id> <run> <phase>"
    Epoch epoch{.id = text.substr(0, text.find(' '))};
    // Asked behind it: a Redis that restarted in between is another run.
    const Result<RedisReply> server = co_await state_->scripts.command({"INFO", "server"});
    if (!server) co_return std::unexpected{server.error()};
    const std::string run{info_field(server->text(), "run_id")};
    epoch.recovering = run.empty() || text != epoch.id + " " + run + " ok";
    epoch.reconciled = reply->array()[1].text() == epoch.id;
    co_return epoch;
}

awaitable<Result<>> SendQueue::set_reconciled(const std::string& epoch_id) { return set("reconciled", epoch_id); }

awaitable<Result<>> SendQueue::set_ledger_position(const std::string& position) { return set("ledger", position); }

awaitable<Result<>> SendQueue::set(std::string name, std::string value)
{
    const Result<RedisReply> reply =
        co_await state_->scripts.command({"SET", state_->scripts.key(name), std::move(value)});
    if (!reply) co_return std::unexpected{reply.error()};
    co_return Result<>{};
}

awaitable<Result<std::size_t>> SendQueue::cancel_in(std::vector<std::string> target, std::string key, int octets_before)
{
    std::size_t cancelled = 0;
    std::int64_t from = 0;
    while (from >= 0) {
        std::vector<std::string> arguments = target;
        arguments.push_back(key);
        arguments.push_back(std::to_string(octets_before));
        arguments.push_back(std::to_string(from));
        arguments.push_back(std::to_string(kCancelMax));
        arguments.push_back(state_->contract());
        arguments.push_back(state_->lease_ms());
        const Result<RedisReply> reply = co_await state_->scripts.run(scripts::cancel, std::move(arguments));
        if (!reply) co_return std::unexpected{reply.error()};
        const RedisReply::Array& answer = reply->array();
        if (answer.size() != 2) co_return fail(Errc::malformed, "cancel: an answer that is not the script's");
        cancelled += static_cast<std::size_t>(answer[0].integer());
        from = answer[1].integer();
    }
    co_return cancelled;
}

awaitable<Result<std::size_t>> SendQueue::cancel(TenantId tenant, BatchId batch, std::span<const MessageId> messages)
{
    Result<std::vector<std::string>> target = target_of(tenant, batch, messages);
    if (!target) co_return std::unexpected{target.error()};
    if (messages.empty()) co_return std::size_t{0};
    co_return co_await cancel_everywhere(tenant, std::move(*target));
}

awaitable<Result<std::size_t>> SendQueue::cancel_due(TenantId tenant, BatchId batch,
                                                     std::span<const MessageId> messages)
{
    Result<std::vector<std::string>> target = target_of(tenant, batch, messages);
    if (!target) co_return std::unexpected{target.error()};
    if (messages.empty()) co_return std::size_t{0};
    co_return co_await cancel_in(std::move(*target), "", 0);
}

awaitable<Result<std::size_t>> SendQueue::cancel(CampaignKey campaign)
{
    std::vector<std::string> target{campaign.tenant.value().text(), campaign.id.value().text(), ""};
    co_return co_await cancel_everywhere(campaign.tenant, std::move(target));
}

// Places of campaigns are read first and again at the end: entries go there from ready lists while a pause begins, and
// come back to them after it. The others in the order in which entries move by themselves, so that none is passed on its
// way: due and parked to ready.
awaitable<Result<std::size_t>> SendQueue::cancel_everywhere(TenantId tenant, std::vector<std::string> target)
{
    const std::string owner = tenant.value().text();
    const Result<RedisReply> places = co_await state_->scripts.run(scripts::places, {owner});
    if (!places) co_return std::unexpected{places.error()};
    std::vector<std::pair<std::string, int>> lists{{"", 0}};
    for (const RedisReply& place : places->array())
        lists.emplace_back(state_->scripts.key("parked:" + place.text() + ":" + owner), 1);
    for (const char* prio : {"0", "1", "2"}) lists.emplace_back(state_->scripts.key("ready:" + owner + ":" + prio), 0);

    Result<std::size_t> cancelled = co_await cancel_paused(tenant, target);
    if (!cancelled) co_return cancelled;
    for (const auto& [key, octets_before] : lists) {
        const Result<std::size_t> some = co_await cancel_in(target, key, octets_before);
        if (!some) co_return std::unexpected{some.error()};
        *cancelled += *some;
    }
    const Result<std::size_t> more = co_await cancel_paused(tenant, std::move(target));
    if (!more) co_return std::unexpected{more.error()};
    co_return *cancelled + *more;
}

awaitable<Result<std::size_t>> SendQueue::cancel_paused(TenantId tenant, std::vector<std::string> target)
{
    const Result<std::vector<CampaignKey>> campaigns = co_await paused();
    if (!campaigns) co_return std::unexpected{campaigns.error()};
    std::size_t cancelled = 0;
    for (const CampaignKey& one : *campaigns) {
        if (one.tenant != tenant) continue;
        const std::string key = state_->scripts.key("parked:" + place_of(one) + ":" + tenant.value().text());
        const Result<std::size_t> some = co_await cancel_in(target, key, 1);
        if (!some) co_return std::unexpected{some.error()};
        cancelled += *some;
    }
    co_return cancelled;
}

awaitable<Result<std::vector<CampaignKey>>> SendQueue::paused()
{
    const Result<RedisReply> places = co_await state_->scripts.command({"SMEMBERS", state_->scripts.key("paused")});
    if (!places) co_return std::unexpected{places.error()};
    std::vector<CampaignKey> campaigns;
    for (const RedisReply& place : places->array())
        if (const auto campaign = campaign_of(place.text())) campaigns.push_back(*campaign);
    co_return campaigns;
}

awaitable<Result<bool>> SendQueue::reopen(CampaignKey campaign)
{
    const Result<RedisReply> reply = co_await state_->scripts.run(scripts::reopen, {place_of(campaign)});
    if (!reply) co_return std::unexpected{reply.error()};
    co_return reply->integer() == 1;
}

awaitable<Result<std::optional<std::int64_t>>> SendQueue::hasten(CampaignKey campaign, std::int64_t cursor)
{
    std::vector<std::string> arguments{campaign.tenant.value().text(), campaign.id.value().text(),
                                       std::to_string(cursor), std::to_string(kCancelMax)};
    const Result<RedisReply> reply = co_await state_->scripts.run(scripts::hasten, std::move(arguments));
    if (!reply) co_return std::unexpected{reply.error()};
    if (reply->integer() < 0) co_return std::optional<std::int64_t>{};
    co_return std::optional{reply->integer()};
}

awaitable<Result<std::vector<bool>>> SendQueue::live(BatchId batch, std::uint32_t first, std::uint32_t count)
{
    const std::string key = state_->scripts.key("live:" + batch.value().text());
    const Result<RedisReply> reply = co_await state_->scripts.command(
        {"GETRANGE", key, std::to_string(first / 8), std::to_string((first + count) / 8)});
    if (!reply) co_return std::unexpected{reply.error()};
    const std::string& octets = reply->text();
    std::vector<bool> bits(count);
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::size_t at = (first + i) / 8 - first / 8;
        if (at < octets.size()) bits[i] = ((static_cast<unsigned char>(octets[at]) >> (7 - (first + i) % 8)) & 1U) == 1;
    }
    co_return bits;
}

awaitable<Result<>> SendQueue::set_weight(TenantId tenant, double weight)
{
    if (!std::isfinite(weight) || weight < kWeightLeast || weight > kWeightMost)
        co_return fail(Errc::bad_value, "weight: 0.01 to 1000");
    const std::string key = state_->scripts.key("weights");
    std::vector<std::string> command{"HSET", key, tenant.value().text(), fmt::format("{}", weight)};
    if (weight == 1) command = {"HDEL", key, tenant.value().text()}; // what is missing weighs 1
    const Result<RedisReply> reply = co_await state_->scripts.command(std::move(command));
    if (!reply) co_return std::unexpected{reply.error()};
    co_return Result<>{};
}

std::string SendQueue::State::content_key(TenantId tenant, const ContentId& id) const
{
    return scripts.key("content:" + tenant.value().text() + ":" + id.value());
}

awaitable<Result<>> SendQueue::put_content(TenantId tenant, const ContentId& id, std::string_view bytes,
                                           std::chrono::seconds ttl)
{
    const std::string key = state_->content_key(tenant, id);
    const Result<RedisReply> reply =
        co_await state_->scripts.command({"SET", key, std::string{bytes}, "EX", std::to_string(ttl.count())});
    if (!reply) co_return std::unexpected{reply.error()};
    co_return Result<>{};
}

awaitable<Result<std::optional<std::string>>> SendQueue::get_content(TenantId tenant, const ContentId& id)
{
    const std::string key = state_->content_key(tenant, id);
    const Result<RedisReply> reply = co_await state_->scripts.command({"GET", key});
    if (!reply) co_return std::unexpected{reply.error()};
    if (reply->nil()) co_return std::optional<std::string>{};
    co_return std::optional<std::string>{reply->text()};
}

awaitable<Result<std::chrono::seconds>> SendQueue::content_stays(TenantId tenant, const ContentId& id)
{
    const std::string key = state_->content_key(tenant, id);
    const Result<RedisReply> reply = co_await state_->scripts.command({"TTL", key});
    if (!reply) co_return std::unexpected{reply.error()};
    co_return std::chrono::seconds{std::max<std::int64_t>(0, reply->integer())};
}

awaitable<Result<bool>> SendQueue::extend_content(TenantId tenant, const ContentId& id, std::chrono::seconds ttl)
{
    const std::string key = state_->content_key(tenant, id);
    const Result<RedisReply> reply = co_await state_->scripts.command({"EXPIRE", key, std::to_string(ttl.count())});
    if (!reply) co_return std::unexpected{reply.error()};
    co_return reply->integer() == 1;
}

// The lists of a zset's tenants, counted in parts: other calls come between.
awaitable<Result<std::size_t>> SendQueue::size_of(std::string zset, std::string before, std::string behind)
{
    std::size_t total = 0;
    for (std::size_t from = 0;; from += kSizesMax) {
        std::vector<std::string> arguments{zset, before, behind, std::to_string(from), std::to_string(kSizesMax)};
        const Result<RedisReply> reply = co_await state_->scripts.run(scripts::sizes, std::move(arguments));
        if (!reply) co_return std::unexpected{reply.error()};
        const RedisReply::Array& answer = reply->array();
        if (answer.size() != 2) co_return fail(Errc::malformed, "sizes: an answer that is not the script's");
        total += static_cast<std::size_t>(answer[1].integer());
        if (static_cast<std::size_t>(answer[0].integer()) < kSizesMax) co_return total;
    }
}

awaitable<Result<std::size_t>> SendQueue::count(std::vector<std::string> command)
{
    const Result<RedisReply> reply = co_await state_->scripts.command(std::move(command));
    if (!reply) co_return std::unexpected{reply.error()};
    co_return static_cast<std::size_t>(reply->integer());
}

awaitable<Result<Summary>> SendQueue::summary()
{
    const ScriptCaller& caller = state_->scripts;
    Summary out;
    Error problem;
    const auto add = [&problem](std::size_t& to, const Result<std::size_t>& some) {
        if (some)
            to += *some;
        else
            problem = some.error();
    };
    for (const std::string prio : {"0", "1", "2"}) {
        const Result<std::size_t> some =
            co_await size_of(caller.key("active:" + prio), caller.key("ready:"), ":" + prio);
        add(out.ready, some);
    }
    const Result<RedisReply> places = co_await state_->scripts.command({"ZRANGE", caller.key("parked"), "0", "-1"});
    if (!places) co_return std::unexpected{places.error()};
    for (const RedisReply& place : places->array()) {
        const std::string zset = caller.key("parked:" + place.text());
        const Result<std::size_t> some = co_await size_of(zset, zset + ":", "");
        add(out.parked, some);
    }
    const Result<std::vector<CampaignKey>> campaigns = co_await paused();
    if (!campaigns) co_return std::unexpected{campaigns.error()};
    for (const CampaignKey& campaign : *campaigns) {
        const std::string list = caller.key("parked:" + place_of(campaign) + ":" + campaign.tenant.value().text());
        const Result<std::size_t> some = co_await count({"LLEN", list});
        add(out.paused, some);
    }
    const Result<> held = co_await add_held(out);
    if (!held) co_return std::unexpected{held.error()};
    const Result<RedisReply> nodes = co_await state_->scripts.command({"HKEYS", caller.key("nodes")});
    if (!nodes) co_return std::unexpected{nodes.error()};
    for (const RedisReply& node : nodes->array()) {
        const Result<std::size_t> some = co_await count({"HLEN", caller.key("hand:" + node.text())});
        add(out.in_hands, some);
    }
    const Result<std::size_t> due = co_await count({"ZCARD", caller.key("due")});
    add(out.due, due);
    const Result<std::size_t> events = co_await count({"XLEN", caller.key("events")});
    add(out.events, events);
    const Result<std::size_t> dead = co_await count({"XLEN", caller.key("dead")});
    add(out.dead, dead);
    if (!problem.detail.empty()) co_return std::unexpected{problem};
    co_return out;
}

} // namespace penguin::queue
