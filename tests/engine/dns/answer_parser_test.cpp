#include "engine/dns/answer_parser.h"

#include <gtest/gtest.h>

#include "tests/support/dns_packet.h"

namespace penguin::dns {
namespace {

using namespace std::chrono_literals;
using tests::DnsPacket;
using tests::kTypeA;
using tests::kTypeAaaa;
using tests::kTypeMx;
using tests::kTypeTxt;
using Kind = Answer<MxRecord>::Kind;

DnsPacket mx_answer() { return DnsPacket::answer("a.example", kTypeMx); }

TEST(AnswerParser, ReadsMxRecordsWithTheSmallestTtl)
{
    const auto packet = mx_answer()
                            .authentic()
                            .mx("a.example", 300, 20, "MX2.A.example")
                            .mx("a.example", 120, 10, "mx1.a.example")
                            .bytes();
    const auto parsed = parse_mx(packet, "a.example");
    ASSERT_TRUE(parsed) << parsed.error().detail;
    EXPECT_EQ(parsed->answer.kind, Kind::found);
    EXPECT_EQ(parsed->answer.records, (std::vector<MxRecord>{{20, "mx2.a.example"}, {10, "mx1.a.example"}}));
    EXPECT_EQ(parsed->answer.ttl, 120s);
    EXPECT_TRUE(parsed->answer.authentic);
    EXPECT_FALSE(parsed->follow);
}

TEST(AnswerParser, TheNullMxHasAnEmptyName)
{
    const auto parsed = parse_mx(mx_answer().mx("a.example", 300, 0, "").bytes(), "a.example");
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->answer.records, (std::vector<MxRecord>{{0, ""}}));
    EXPECT_FALSE(parsed->answer.authentic);
}

TEST(AnswerParser, ReadsAddressesOfBothKinds)
{
    const auto v4 = DnsPacket::answer("h.example", kTypeA).address("h.example", 60, "192.0.2.7").bytes();
    EXPECT_EQ(parse_a(v4, "h.example")->answer.records.at(0).to_string(), "192.0.2.7");
    const auto v6 = DnsPacket::answer("h.example", kTypeAaaa).address("h.example", 60, "2001:db8::7").bytes();
    EXPECT_EQ(parse_aaaa(v6, "h.example")->answer.records.at(0).to_string(), "2001:db8::7");
}

TEST(AnswerParser, JoinsTheStringsOfATxtRecord)
{
    const auto packet = DnsPacket::answer("t.example", kTypeTxt)
                            .txt("t.example", 60, {std::string(255, 'a'), "b", ""})
                            .txt("t.example", 60, {"second"})
                            .bytes();
    const auto parsed = parse_txt(packet, "t.example");
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->answer.records, (std::vector<std::string>{std::string(255, 'a') + "b", "second"}));
}

struct NegativeCase {
    const char* name;
    std::uint8_t rcode;
    bool soa;
    std::uint32_t ttl;
    std::uint32_t minimum;
    Kind kind;
    std::chrono::seconds kept;
};
const NegativeCase kNegatives[] = {
    {"NoNameMinimumWins", 3, true, 900, 30, Kind::no_name, 30s}, // RFC 2308 5
    {"NoNameTtlWins", 3, true, 20, 3600, Kind::no_name, 20s},
    {"NoData", 0, true, 900, 60, Kind::no_data, 60s},
    {"NoDataWithoutSoa", 0, false, 0, 0, Kind::no_data, 0s},
    {"NegativeTtlIsZero", 3, true, 0xFFFFFFFF, 30, Kind::no_name, 0s}, // RFC 2181 8
};
TEST(AnswerParser, NegativeAnswersSayHowLongTheyMayBeKept)
{
    for (const NegativeCase& row : kNegatives) {
        DnsPacket packet = mx_answer().rcode(row.rcode);
        if (row.soa) packet.soa("example", row.ttl, row.minimum);
        const auto parsed = parse_mx(packet.bytes(), "a.example");
        ASSERT_TRUE(parsed) << row.name;
        EXPECT_EQ(parsed->answer.kind, row.kind) << row.name;
        EXPECT_EQ(parsed->answer.ttl, row.kept) << row.name;
        EXPECT_TRUE(parsed->answer.records.empty()) << row.name;
    }
}

TEST(AnswerParser, EveryOtherRcodeIsUnavailable)
{
    for (std::uint8_t rcode = 1; rcode < 16; ++rcode) {
        if (rcode == 3) continue;
        EXPECT_EQ(parse_mx(mx_answer().rcode(rcode).bytes(), "a.example").error().code, Errc::unavailable)
            << int{rcode};
    }
}

TEST(AnswerParser, FollowsCnamesInAnyOrder)
{
    const auto packet = mx_answer()
                            .mx("c.example", 300, 5, "mx.c.example")
                            .cname("b.example", 50, "C.example")
                            .cname("a.example", 100, "b.example")
                            .mx("z.example", 1, 1, "not.asked.example")
                            .bytes();
    const auto parsed = parse_mx(packet, "a.example");
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->answer.records, (std::vector<MxRecord>{{5, "mx.c.example"}}));
    EXPECT_EQ(parsed->answer.ttl, 50s);
    EXPECT_EQ(parsed->cnames, 2U);
}

TEST(AnswerParser, AChainThatLeavesTheMessageIsToBeFollowed)
{
    const auto parsed = parse_mx(mx_answer().cname("a.example", 40, "b.other").bytes(), "a.example");
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->follow, "b.other");
    EXPECT_EQ(parsed->answer.ttl, 40s);
    const auto no_data =
        parse_mx(mx_answer().cname("a.example", 40, "b.other").soa("other", 60, 60).bytes(), "a.example");
    ASSERT_TRUE(no_data);
    EXPECT_FALSE(no_data->follow);
    EXPECT_EQ(no_data->answer.kind, Kind::no_data);
    const auto no_name = parse_mx(mx_answer().rcode(3).cname("a.example", 40, "b.other").bytes(), "a.example");
    ASSERT_TRUE(no_name);
    EXPECT_EQ(no_name->answer.kind, Kind::no_name);
}

TEST(AnswerParser, EightCnamesAreFollowedNineAreNot)
{
    for (const int count : {8, 9}) {
        DnsPacket packet = DnsPacket::answer("n0.example", kTypeA);
        for (int i = 0; i < count; ++i)
            packet.cname("n" + std::to_string(i) + ".example", 60, "n" + std::to_string(i + 1) + ".example");
        packet.address("n" + std::to_string(count) + ".example", 60, "192.0.2.1");
        const auto parsed = parse_a(packet.bytes(), "n0.example");
        EXPECT_EQ(parsed.has_value(), count == 8);
        if (!parsed) EXPECT_EQ(parsed.error().code, Errc::malformed);
    }
}

TEST(AnswerParser, LoopsOfCnamesAreMalformed)
{
    const auto self = mx_answer().cname("a.example", 60, "a.example").bytes();
    EXPECT_EQ(parse_mx(self, "a.example").error().code, Errc::malformed);
    const auto two = mx_answer().cname("a.example", 60, "b.example").cname("b.example", 60, "a.example").bytes();
    EXPECT_EQ(parse_mx(two, "a.example").error().code, Errc::malformed);
}

TEST(AnswerParser, KeepsABoundedNumberOfRecords)
{
    DnsPacket packet = DnsPacket::answer("h.example", kTypeA);
    for (int i = 0; i < 1000; ++i)
        packet.address("h.example", 60, "192.0." + std::to_string(i / 250) + "." + std::to_string(i % 250));
    EXPECT_EQ(parse_a(packet.bytes(), "h.example")->answer.records.size(), kRecordsMax);
}

TEST(AnswerParser, NamesWithStrangeOctetsCannotPassForOthers)
{
    // An exchange of one label "a.b", a NUL and a backslash.
    const auto packet =
        mx_answer().record("a.example", kTypeMx, 60, {0, 1, 6, 'a', '.', 'B', 0, '\\', 0x7F, 0}).bytes();
    EXPECT_EQ(parse_mx(packet, "a.example")->answer.records.at(0).exchange, "a\\046b\\000\\092\\127");
}

struct BadCase {
    const char* name;
    std::vector<std::uint8_t> bytes;
};
std::vector<BadCase> bad_packets()
{
    return {
        {"Nothing", {}},
        {"NotAnAnswer", mx_answer().set(2, 0x01).bytes()},
        {"Truncated", mx_answer().truncated().bytes()},
        {"OtherQuestion", DnsPacket::answer("b.example", kTypeMx).bytes()},
        {"OtherType", DnsPacket::answer("a.example", kTypeA).bytes()},
        {"NoQuestion", mx_answer().set(5, 0).bytes()},
        {"TwoQuestions", mx_answer().set(5, 2).bytes()},
        {"MoreRecordsPromised", mx_answer().mx("a.example", 1, 1, "m.example").set(7, 2).bytes()},
        {"MxTooShort", mx_answer().record("a.example", kTypeMx, 60, {0}).bytes()},
        {"MxWithMoreBehind", mx_answer().record("a.example", kTypeMx, 60, {0, 1, 0, 0}).bytes()},
        {"PointerForward", mx_answer().record("a.example", kTypeMx, 60, {0, 1, 0xC0, 0xFF}).bytes()},
        {"PointerToItself", mx_answer().record("a.example", kTypeMx, 60, {0, 1, 0xC0, 0x32}).bytes()},
        {"PointerCut", mx_answer().record("a.example", kTypeMx, 60, {0, 1, 0xC0}).bytes()},
        {"LabelOfAReservedKind", mx_answer().record("a.example", kTypeMx, 60, {0, 1, 0x80, 0}).bytes()},
        {"NameTooLong", mx_answer()
                            .mx("a.example", 60, 1,
                                std::string(63, 'a') + "." + std::string(63, 'b') + "." + std::string(63, 'c') + "." +
                                    std::string(63, 'd'))
                            .bytes()},
        {"CnameToTheRoot", mx_answer().cname("a.example", 60, "").bytes()},
    };
}
TEST(AnswerParser, WhatMakesNoSenseIsMalformed)
{
    for (const BadCase& row : bad_packets()) {
        const auto parsed = parse_mx(row.bytes, "a.example");
        ASSERT_FALSE(parsed) << row.name;
        EXPECT_EQ(parsed.error().code, Errc::malformed) << row.name;
    }
    const auto short_a = DnsPacket::answer("h.example", kTypeA).record("h.example", kTypeA, 60, {192, 0, 2}).bytes();
    EXPECT_EQ(parse_a(short_a, "h.example").error().code, Errc::malformed);
    const auto long_a =
        DnsPacket::answer("h.example", kTypeA).record("h.example", kTypeA, 60, {192, 0, 2, 1, 0}).bytes();
    EXPECT_EQ(parse_a(long_a, "h.example").error().code, Errc::malformed);
    const auto no_string = DnsPacket::answer("t.example", kTypeTxt).record("t.example", kTypeTxt, 60, {}).bytes();
    EXPECT_EQ(parse_txt(no_string, "t.example").error().code, Errc::malformed);
    const auto cut_string =
        DnsPacket::answer("t.example", kTypeTxt).record("t.example", kTypeTxt, 60, {5, 'a'}).bytes();
    EXPECT_EQ(parse_txt(cut_string, "t.example").error().code, Errc::malformed);
}

TEST(AnswerParser, CompressedNamesAreRead)
{
    // The owner and the end of the exchange point at the question (offset 12).
    const auto packet =
        mx_answer().raw({0xC0, 12, 0, 15, 0, 1, 0, 0, 0, 60, 0, 7, 0, 10, 2, 'm', 'x', 0xC0, 12}).set(7, 1).bytes();
    const auto parsed = parse_mx(packet, "a.example");
    ASSERT_TRUE(parsed) << parsed.error().detail;
    EXPECT_EQ(parsed->answer.records, (std::vector<MxRecord>{{10, "mx.a.example"}}));
}

TEST(AnswerParser, AnAnswerCutAnywhereIsMalformedNeverBelieved)
{
    const auto whole = mx_answer()
                           .cname("a.example", 100, "b.example")
                           .mx("b.example", 60, 10, "mx.b.example")
                           .soa("example", 60, 30)
                           .bytes();
    ASSERT_TRUE(parse_mx(whole, "a.example"));
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const auto parsed = parse_mx(Packet{whole}.first(size), "a.example");
        ASSERT_FALSE(parsed) << size;
        EXPECT_EQ(parsed.error().code, Errc::malformed) << size;
    }
}

TEST(AnswerParser, AnyOctetMayBeWrong)
{
    const auto whole = mx_answer().cname("a.example", 100, "b.example").mx("b.example", 60, 10, "m.b.example").bytes();
    for (std::size_t at = 0; at < whole.size(); ++at) {
        for (int octet = 0; octet < 256; ++octet) {
            auto broken = whole;
            broken[at] = static_cast<std::uint8_t>(octet);
            const auto parsed = parse_mx(broken, "a.example");
            if (parsed && parsed->answer.kind == Kind::found) EXPECT_LE(parsed->answer.records.size(), 1U) << at;
        }
    }
}

} // namespace
} // namespace penguin::dns
