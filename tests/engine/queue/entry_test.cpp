#include "engine/queue/entry.h"

#include <gtest/gtest.h>

#include "engine/queue/base64.h"

namespace penguin::queue {

namespace {

const std::string kTenant = "018f0000-0000-7000-8000-0000000000aa";
const std::string kId = "018f0000-0000-7000-8000-000000000001.42";
const std::string kContent(64, 'a');

// A good entry with `more` fields behind it; what is named in `more` twice counts as it stands last.
std::string with(const std::string& more)
{
    return R"({"v":1,"id":")" + kId + R"(","tenant":")" + kTenant + R"(","to":"ann@b.example","content":")" + kContent +
           "\"" + (more.empty() ? "" : ",") + more + "}";
}

TEST(EntryTest, EveryFieldComesBack)
{
    const std::string text = R"({"avoid":{"n1":1700000000123},"v":1,"id":")" + kId + R"(","tenant":")" + kTenant +
                             R"(","campaign":"018f0000-0000-7000-8000-0000000000cc",)"
                             R"("mailbox":"018f0000-0000-7000-8000-0000000000dd","from":"bob@a.example",)"
                             R"("to":"ann@b.example","content":")" +
                             kContent +
                             R"(","vars":{"name":"Ann \"A\" Ä","n":3,"b":true},"prio":2,"not_before":1700000000000,)"
                             R"("expires":1800000000000,"attempt":3,"queued":1600000000000})";
    const Result<Entry> entry = Entry::parse(text);
    ASSERT_TRUE(entry) << entry.error().detail;
    EXPECT_EQ(entry->to_json(), text);
    EXPECT_EQ(entry->id.index, 42U);
    EXPECT_EQ(entry->prio, Priority::low);
    EXPECT_EQ(entry->attempt, 3U);
    EXPECT_EQ(to_unix_ms(entry->avoid.at("n1")), 1'700'000'000'123);
}

TEST(EntryTest, WhatIsNotThereHasItsDefault)
{
    const Result<Entry> entry = Entry::parse(with(R"("campaign":null,"from":null)"));
    ASSERT_TRUE(entry) << entry.error().detail;
    EXPECT_FALSE(entry->from);
    EXPECT_FALSE(entry->campaign);
    EXPECT_EQ(entry->prio, Priority::normal);
    EXPECT_EQ(entry->vars, "");
    EXPECT_EQ(entry->queued, WallTime{});
}

TEST(EntryTest, ARawMessageComesBackOctetByOctet)
{
    std::string message = "Subject: x\r\n\r\n";
    for (int c = 0; c < 256; ++c)
        if (c != '\r' && c != '\n') message += static_cast<char>(c);
    message += "\r\n";
    const std::string text = R"({"v":1,"id":")" + kId + R"(","tenant":")" + kTenant +
                             R"(","to":"ann@b.example","raw":")" + base64(message) + "\"}";
    const Result<Entry> entry = Entry::parse(text);
    ASSERT_TRUE(entry) << entry.error().detail;
    EXPECT_EQ(entry->raw, message);
    EXPECT_EQ(Entry::parse(entry->to_json())->raw, message);
}

struct BadEntry {
    const char* name;
    std::string json;
    Errc code;
    const char* detail; // begins so
};

std::string without(const std::string& field)
{
    std::string text = with("");
    const auto at = text.find("\"" + field + "\":");
    const auto end = text.find_first_of(",}", at);
    text.erase(at, end - at + (text[end] == ',' ? 1 : 0));
    if (const auto comma = text.find(",}"); comma != std::string::npos) text.erase(comma, 1);
    return text;
}

std::string raw_of(const std::string& octets)
{
    std::string text = without("content");
    text.insert(text.size() - 1, R"(,"raw":")" + base64(octets) + "\"");
    return text;
}

const BadEntry kBad[] = {
    {"Empty", "", Errc::malformed, "not JSON"},
    {"NotJson", "hello", Errc::malformed, "not JSON"},
    {"CutOff", with("").substr(0, 50), Errc::malformed, "not JSON"},
    {"Array", "[1]", Errc::malformed, "not a JSON object"},
    {"BadUtf8", with("\"vars\":{\"a\":\"\xff\"}"), Errc::malformed, "not JSON"},
    {"Deep", std::string(10'000, '[') + std::string(10'000, ']'), Errc::malformed, "not JSON"},
    {"NoVersion", without("v"), Errc::missing, "v: "},
    {"OtherVersion", with(R"("v":2)"), Errc::bad_value, "v: must be a whole number from 1 to 1"},
    {"NoId", without("id"), Errc::missing, "id: "},
    {"BadId", with(R"("id":"x.1")"), Errc::malformed, "id: "},
    {"IndexTooLarge", with(R"("id":"018f0000-0000-7000-8000-000000000001.10000")"), Errc::malformed, "id: "},
    {"NoTenant", without("tenant"), Errc::missing, "tenant: "},
    {"BadTenant", with(R"("tenant":"me")"), Errc::malformed, "tenant: "},
    {"NoTo", without("to"), Errc::missing, "to: "},
    {"BadTo", with(R"("to":"nobody")"), Errc::bad_address, "to: "},
    {"InjectedTo", with(R"("to":"a@b.example>\r\nRCPT TO:<c@d.example")"), Errc::bad_address, "to: "},
    {"ToIsNumber", with(R"("to":5)"), Errc::bad_value, "to: must be a string"},
    {"BadFrom", with(R"("from":"@")"), Errc::bad_address, "from: "},
    {"NoContent", without("content"), Errc::missing, "content: "},
    {"BadContent", with(R"("content":"../../x")"), Errc::bad_value, "content: "},
    {"ContentAndRaw", with(R"("raw":"YQ==")"), Errc::missing, "content: exactly one"},
    {"RawNotBase64", with(R"("raw":"*")"), Errc::malformed, "raw: "},
    {"RawLoosePadding", with(R"("raw":"YR==")"), Errc::malformed, "raw: "},
    {"RawBareLf", raw_of("a\nb"), Errc::bad_value, "raw: each line"},
    {"RawBareCr", raw_of("a\rb"), Errc::bad_value, "raw: each line"},
    {"RawTooLong", raw_of(std::string(kRawMax + 1, 'a')), Errc::too_long, "raw: at most 65536"},
    {"VarsNotObject", with(R"("vars":[1])"), Errc::bad_value, "vars: must be an object"},
    {"VarsNested", with(R"("vars":{"a":{}})"), Errc::bad_value, "vars: values"},
    {"VarsNull", with(R"("vars":{"a":null})"), Errc::bad_value, "vars: values"},
    {"PrioTooHigh", with(R"("prio":3)"), Errc::bad_value, "prio: must be a whole number from 0 to 2"},
    {"PrioFraction", with(R"("prio":1.5)"), Errc::bad_value, "prio: "},
    {"NegativeTime", with(R"("expires":-1)"), Errc::bad_value, "expires: "},
    {"TimeAsText", with(R"("not_before":"2026-01-01")"), Errc::bad_value, "not_before: "},
    {"AttemptTooLarge", with(R"("attempt":99999999999999999999)"), Errc::bad_value, "attempt: "},
    {"AvoidBehindAllTime", with(R"("avoid":{"n1":17000002222000123})"), Errc::bad_value, "avoid: "},
    {"AvoidNotTimes", with(R"("avoid":{"n1":"x"})"), Errc::bad_value, "avoid: "},
    {"UnknownField", with(R"("not_befor":1)"), Errc::bad_value, "not_befor: no such field"},
    {"TooLong", with(R"("vars":{"a":")" + std::string(kEntryMax, 'x') + "\"}"), Errc::too_long, "the entry: at most"},
};

class BadEntryTest : public testing::TestWithParam<BadEntry> {};

TEST_P(BadEntryTest, NamesTheFieldAndTheRule)
{
    const Result<Entry> entry = Entry::parse(GetParam().json);
    ASSERT_FALSE(entry);
    EXPECT_EQ(name_of(entry.error().code), name_of(GetParam().code)) << entry.error().detail;
    EXPECT_TRUE(entry.error().detail.starts_with(GetParam().detail)) << entry.error().detail;
}

INSTANTIATE_TEST_SUITE_P(Entries, BadEntryTest, testing::ValuesIn(kBad),
                         [](const auto& row) { return std::string{row.param.name}; });

struct Base64Case {
    const char* octets;
    const char* text;
};
constexpr Base64Case kBase64[] = {{"", ""},
                                  {"f", "Zg=="},
                                  {"fo", "Zm8="},
                                  {"foo", "Zm9v"},
                                  {"foob", "Zm9vYg=="},
                                  {"fooba", "Zm9vYmE="},
                                  {"foobar", "Zm9vYmFy"}};

TEST(Base64Test, TheVectorsOfRfc4648)
{
    for (const Base64Case& row : kBase64) {
        EXPECT_EQ(base64(row.octets), row.text);
        EXPECT_EQ(parse_base64(row.text).value(), row.octets);
    }
    for (const char* bad : {"Zg", "Zg=", "Zh==", "Z===", " Zg==", "Zg==\n", "Zm9v=", "Zm-v"})
        EXPECT_FALSE(parse_base64(bad)) << bad;
}

} // namespace

} // namespace penguin::queue
