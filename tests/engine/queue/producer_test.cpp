// Plain producers: what they may do with redis-cli alone, and what they can get wrong.
#include "tests/engine/queue/queue_fixture.h"

namespace penguin::test {

namespace {

using queue::Claimed;

class ProducerTest : public QueueTest {
protected:
    const std::string tenant = tenant_of(1).value().text();

    void push(const std::string& entry, const std::string& owner)
    {
        server().cli("RPUSH '" + key + "ready:" + owner + ":1' '" + entry + "'");
        server().cli("ZADD '" + key + "active:1' NX 0 " + owner);
    }
    std::string dead() { return server().cli("XRANGE '" + key + "dead' - +"); }
};

TEST_F(ProducerTest, TwoCommandsOfRedisCliQueueAMessage)
{
    // As in engine/queue/README.md: any order of fields, any spaces, no field that is not needed.
    push(R"( { "to" : "ann@b.example", "raw":"U3ViamVjdDogaGkNCg0KaGkNCg==", "tenant":")" + tenant +
             R"(", "vars":{"id":"x"}, "id":"018F0000-0000-7000-8000-000000000001.0", "v":1 })",
         tenant);
    Node node{io, server().url(), "n1", "i1"};
    const std::vector<Claimed> got = node.claim(10);
    ASSERT_EQ(got.size(), 1U);
    EXPECT_EQ(got[0].entry.raw, "Subject: hi\r\n\r\nhi\r\n");
    EXPECT_EQ(got[0].entry.to.text(), "ann@b.example");
    EXPECT_FALSE(got[0].entry.from);
    EXPECT_GT(got[0].entry.queued, WallTime{});
    // It goes every way that our own entries go.
    node.release(tokens_of(got), wall_now() + 1h);
    EXPECT_EQ(node.summary().due, 1U);
    const std::vector<MessageId> ids{got[0].entry.id};
    EXPECT_EQ(node.must(node.queue().cancel(tenant_of(1), got[0].entry.id.batch, ids)), 1U);
    EXPECT_EQ(node.events().size(), 1U);
}

TEST_F(ProducerTest, AProducersEntryIsHonouredAsDoneInAnyCase)
{
    server().cli("SET '" + key + "done:018f0000-0000-7000-8000-000000000001.0' 1");
    server().cli("SET '" + key + "dones' 1");
    push(R"({"to":"ann@b.example","raw":"YQ==","tenant":")" + tenant +
             R"(","id":"018F0000-0000-7000-8000-000000000001.0","v":1})",
         tenant);
    Node node{io, server().url(), "n1", "i1"};
    EXPECT_TRUE(node.claim(10).empty());
    EXPECT_TRUE(node.hand().empty());
}

TEST_F(ProducerTest, AMessageForLaterWaitsWhereverItsProducerPutIt)
{
    queue::Entry later = entry_of(1, 1, 0);
    later.not_before = wall_now() + 1h;
    push(later.to_json(), tenant);
    push(entry_of(1, 1, 1).to_json(), tenant);
    Node node{io, server().url(), "n1", "i1"};
    const std::vector<Claimed> got = node.claim(10);
    ASSERT_EQ(got.size(), 1U);
    EXPECT_EQ(got[0].entry.id.index, 1U);
    EXPECT_EQ(node.hand().size(), 1U);
    EXPECT_EQ(server().cli("ZSCORE '" + key + "due' " + later.id.text()),
              std::to_string(to_unix_ms(*later.not_before)));
}

TEST_F(ProducerTest, WhatDoesNotParseIsBuriedAndBlocksNobody)
{
    struct Case {
        std::string entry;
        const char* reason;
    };
    const std::string good = entry_of(1, 1, 0).to_json();
    const Case cases[] = {
        {"not json", "malformed: not JSON"},
        {"[]", "malformed: not a JSON object"},
        {"{}", "missing: v"},
        {R"({"v":1})", "missing: id"},
        {"", "malformed: not JSON"},
        {entry_of(2, 1, 0).to_json(), "bad_value: tenant: not the one"},
        {good.substr(0, good.size() - 1), "malformed: not JSON"},
    };
    Node node{io, server().url(), "n1", "i1"};
    for (const Case& row : cases) push(row.entry, tenant);
    push(good, tenant);
    const std::vector<Claimed> got = node.claim(100);
    ASSERT_EQ(got.size(), 1U);
    EXPECT_EQ(got[0].entry.id.index, 0U);
    EXPECT_EQ(node.summary().dead, std::size(cases));
    EXPECT_EQ(node.hand().size(), 1U);
    for (const Case& row : cases) EXPECT_NE(dead().find(row.reason), std::string::npos) << row.reason << "\n" << dead();
}

TEST_F(ProducerTest, AnEntryThatIsTooLongNeverLeavesRedis)
{
    // redis-cli -x reads the value from its input
    Node node{io, server().url(), "n1", "i1"};
    const std::string command = "head -c 300000 /dev/zero | tr '\\0' a | redis-cli -s " + server().socket() +
                                " -x RPUSH '" + key + "ready:" + tenant + ":1' >/dev/null";
    ASSERT_EQ(std::system(command.c_str()), 0);
    push(entry_of(1, 1, 0).to_json(), tenant);
    EXPECT_EQ(node.claim(10).size(), 1U);
    EXPECT_EQ(node.summary().dead, 1U);
    EXPECT_NE(dead().find("too_long"), std::string::npos);
    EXPECT_NE(dead().find("300000"), std::string::npos) << "its true size is told";
}

TEST_F(ProducerTest, ATenantThatIsNoUuidAndAListThatIsNoneBlockNobody)
{
    Node node{io, server().url(), "n1", "i1"};
    push(entry_of(1, 1, 0).to_json(), "somebody");
    server().cli("SET '" + key + "ready:wrong:1' x");
    server().cli("ZADD '" + key + "active:1' NX 0 wrong");
    server().cli("ZADD '" + key + "active:1' NX 0 empty");
    push(entry_of(1, 1, 1).to_json(), tenant);
    EXPECT_EQ(node.claim(10).size(), 1U);
    EXPECT_EQ(node.summary().dead, 2U);
    EXPECT_TRUE(node.claim(10).empty());
    EXPECT_EQ(server().cli("EXISTS '" + key + "active:1'"), "0");
}

TEST_F(ProducerTest, AKeyOfTheWrongTypeLosesNothingThatWasTaken)
{
    Node node{io, server().url(), "n1", "i1"};
    node.enqueue(batch_entries(1, 1, 5, queue::Priority::high));
    server().cli("SET '" + key + "active:2' x"); // the lowest priority's set: served after the others
    EXPECT_EQ(node.claim(10).size(), 5U);
    EXPECT_EQ(node.hand().size(), 5U);
    const queue::ClaimRequest request;
    EXPECT_FALSE(node.try_(node.queue().claim(request))) << "with nothing taken the error is told";
}

} // namespace

} // namespace penguin::test
