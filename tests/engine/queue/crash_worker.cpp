// A process that a test lets die at a crash point. It lives a node's whole life on a queue: takes the name, queues one batch,
// works until nothing is left, confirms, gives the name back. Started again under another incarnation it goes on.
//
//   crash_worker <redis socket> <node> <incarnation> <messages>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <iostream>
#include <set>

#include "tests/engine/queue/queue_fixture.h"

namespace penguin::test {

namespace {

using queue::Claimed;
using queue::EventKind;

// A message's way depends on its index and on the attempts made, so that each script is met whatever came before.
void work(Node& node, const std::vector<Claimed>& got)
{
    std::vector<queue::Settlement> outcomes;
    std::vector<queue::Token> parked;
    std::vector<queue::Token> paused;
    std::vector<queue::Token> released;
    static std::set<MessageId> moved; // parked or released once in this life
    for (const Claimed& one : got) {
        const std::uint32_t kind = one.entry.id.index % 5;
        if (kind == 0 && moved.insert(one.entry.id).second)
            paused.push_back(one.token);
        else if (kind == 1 && moved.insert(one.entry.id).second)
            parked.push_back(one.token);
        else if (kind == 2 && moved.insert(one.entry.id).second)
            released.push_back(one.token);
        else if (kind == 3 && one.entry.attempt == 0) {
            outcomes.push_back(outcome_of(one, EventKind::deferred));
            outcomes.back().retry_at = wall_now();
        } else
            outcomes.push_back(outcome_of(one, kind == 4 ? EventKind::bounced : EventKind::delivered));
    }
    for (queue::Settlement& one : outcomes) { // the batch's count for a warm-up
        if (one.event.message.batch != batch_of(1)) continue;
        one.event.source = "192.0.2.1";
        one.event.warmup = "gmail";
        one.event.at = from_unix_ms(1'773'145'800'000); // 2026-03-10
    }
    node.park(parked, "gmail");
    node.park(paused, queue::place_of(campaign_of(1, 1)));
    node.release(released);
    node.settle(outcomes);
}

// As a plain producer would, with a time that comes in a moment.
void queue_early(Node& node, unsigned index)
{
    queue::Entry early = entry_of(1, 1, index);
    early.not_before = wall_now() + 300ms;
    const std::string tenant = early.tenant.value().text();
    const std::string at = "pm:{default}:";
    // The bit stands for "queued already": a later life must not queue it again.
    const auto bit = node.must(
        node.redis().command({"SETBIT", at + "live:" + early.id.batch.value().text(), std::to_string(index), "1"}, 2s));
    if (bit.integer() == 1) return;
    node.must(node.redis().command({"RPUSH", at + "ready:" + tenant + ":1", early.to_json()}, 2s));
    node.must(node.redis().command({"ZADD", at + "active:1", "NX", "0", tenant}, 2s));
}

// A quota whose month nobody has counted: the claim holds the tenant until the ledger says what it knows.
void limit(Node& node)
{
    const TenantId tenant = tenant_of(1);
    node.must(node.queue().set_limits({{tenant, {.rate = {}, .monthly_quota = 1'000'000}}}));
    work(node, node.claim(10, 10));
    node.summary();
    std::string month = node.must(node.queue().standing(tenant)).month;
    month.erase(4, 1);
    const std::string position = node.must(node.queue().ledger_position());
    node.must(node.queue().count_month(position, std::stoi(month), {{tenant, 0}}));
}

void live(Node& node, unsigned messages)
{
    node.must(node.queue().start(true));
    node.enqueue(batch_entries(1, 1, messages));
    const std::vector<MessageId> to_cancel{{batch_of(1), messages - 1}};
    node.must(node.queue().cancel(tenant_of(1), batch_of(1), to_cancel));
    node.must(node.queue().hold_ledger_lock());
    queue_early(node, messages);
    const std::vector<Claimed> hand = node.hand();
    std::vector<queue::Held> held{{"never-claimed", entry_of(7, 7, 0), ""}};
    for (const Claimed& one : hand) held.push_back({one.token, one.entry, ""});
    node.must(node.queue().rehand(held));
    node.release({"never-claimed"});
    work(node, hand);
    limit(node);
    node.must(node.queue().hasten(campaign_of(1, 1), 0));
    while (true) {
        node.must(node.queue().heartbeat("up"));
        node.must(node.queue().janitor());
        for (const CampaignKey& campaign : node.must(node.queue().paused())) node.must(node.queue().reopen(campaign));
        work(node, node.claim(10, 10));
        const queue::Summary left = node.summary();
        if (left.ready + left.parked + left.paused + left.due + left.in_hands == 0) break;
    }
    const auto read = node.must(node.queue().read_events("", 10'000));
    std::vector<MessageId> done;
    std::map<MessageId, std::size_t> finals;
    for (const queue::Event& event : read.events) {
        if (!is_final(event.kind)) continue;
        done.push_back(event.message);
        ++finals[event.message];
    }
    for (unsigned i = 0; i <= messages; ++i) std::cout << i << " " << finals[{batch_of(1), i}] << "\n" << std::flush;
    if (!read.events.empty()) node.must(node.queue().confirm_events(read.position, done));
    node.must(node.queue().stop());
}

} // namespace

} // namespace penguin::test

int main(int count, char** arguments)
{
    if (count != 5) return 2;
    try {
        boost::asio::io_context io;
        penguin::queue::RedisUrl url;
        url.path = arguments[1];
        penguin::test::Node node{io, url, arguments[2], arguments[3], std::chrono::seconds{30}, false};
        penguin::test::live(node, static_cast<unsigned>(std::stoul(arguments[4])));
        return 0;
    } catch (const std::exception& error) {
        std::cerr << error.what() << "\n";
        return 1;
    }
}
