#include "bench/harness/letters.h"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include "bench/harness/daemon.h"
#include "bench/harness/nameserver.h"
#include "bench/harness/world.h"

namespace penguin::bench {
namespace {

TEST(Letter, HasTheSizeAskedFor)
{
    for (const std::size_t size : {1'000, 1'001, 1'070, 1'071, 1'072, 1'073, 10'240, 102'400})
        for (const bool signed_before : {false, true})
            EXPECT_EQ(letter("t0.bench.test", {.size = size, .signed_before = signed_before}).size(), size);
}

TEST(Letter, LinesEndInCrLfAndAreShort)
{
    const std::string text = letter("t0.bench.test", {.size = 5'000, .signed_before = true, .distinct = true});
    std::size_t start = 0;
    while (start < text.size()) {
        const std::size_t end = text.find("\r\n", start);
        ASSERT_NE(end, std::string::npos);
        EXPECT_EQ(text.substr(start, end - start).find_first_of("\r\n"), std::string::npos);
        EXPECT_LE(end - start, 78U);
        start = end + 2;
    }
}

TEST(Letter, OnlyTheSignedOneHasASignatureOfItsDomain)
{
    EXPECT_TRUE(letter("t0.bench.test", {.signed_before = true}).contains("\td=t0.bench.test;"));
    EXPECT_FALSE(letter("t0.bench.test", {}).contains("DKIM"));
}

TEST(Letter, ADistinctOneHasTheNumberOfItsRecipientWhereverTheTemplateHasIt)
{
    const std::string text = letter_for(letter("t0.bench.test", {.size = 2'000, .distinct = true}), 4'711);
    EXPECT_TRUE(text.contains("Subject: A word from us, number 4711\r\n"));
    EXPECT_TRUE(text.contains("Your number is 4711.\r\n"));
    EXPECT_FALSE(text.contains("{{"));
}

TEST(BatchBody, NumbersRecipientsOverAllDomains)
{
    const auto body = boost::json::parse(batch_body("From: a@b\r\n\r\nx\r\n", true, 5, 3, 2)).as_object();
    const auto& recipients = body.at("recipients").as_array();
    ASSERT_EQ(recipients.size(), 3U);
    EXPECT_EQ(recipients[0].as_object().at("email").as_string(), "u5@d1.bench.test");
    EXPECT_EQ(recipients[1].as_object().at("email").as_string(), "u6@d0.bench.test");
    EXPECT_EQ(recipients[2].as_object().at("variables").as_object().at("serial").to_number<int>(), 7);
    EXPECT_TRUE(body.at("raw").as_object().at("variables").as_bool());
}

TEST(InjectBody, HasOneRecipientAndTheWholeMessage)
{
    const auto body = boost::json::parse(inject_body("a@t0.bench.test", "From: a\r\n\r\nx\r\n", 3, 2)).as_object();
    EXPECT_EQ(body.at("envelope_sender").as_string(), "a@t0.bench.test");
    EXPECT_EQ(body.at("content").as_string(), "From: a\r\n\r\nx\r\n");
    ASSERT_EQ(body.at("recipients").as_array().size(), 1U);
    EXPECT_EQ(body.at("recipients").as_array()[0].as_object().at("email").as_string(), "u3@d1.bench.test");
}

TEST(Letter, AMarkMakesItAnotherOfTheSameSize)
{
    const std::string plain = letter("t0.bench.test", {.size = 2'000});
    const std::string marked = letter("t0.bench.test", {.size = 2'000, .mark = "call 7"});
    EXPECT_EQ(plain.size(), marked.size());
    EXPECT_NE(plain, marked);
}

TEST(Zone, DomainsShareTheSites)
{
    EXPECT_EQ(mx_records(3, 2), "mx0.bench.test. A 127.10.0.1\nmx1.bench.test. A 127.10.0.2\n"
                                "d0.bench.test. MX 10 mx0.bench.test.\nd1.bench.test. MX 10 mx1.bench.test.\n"
                                "d2.bench.test. MX 10 mx0.bench.test.\n");
}

TEST(Zone, LongTextIsCutIntoStrings)
{
    EXPECT_EQ(txt_record("a.test", "v=\"1\""), "a.test. TXT \"v=\\\"1\\\"\"\n");
    const std::string record = txt_record("a.test", std::string(300, 'x'));
    EXPECT_EQ(record, "a.test. TXT \"" + std::string(250, 'x') + "\" \"" + std::string(50, 'x') + "\"\n");
}

TEST(Addresses, EachThingHasItsOwn)
{
    EXPECT_EQ(site_address(0), "127.10.0.1");
    EXPECT_EQ(site_address(250), "127.10.1.1");
    EXPECT_EQ(source_address(251), "127.20.1.2");
}

TEST(MetricIn, SumsTheSamplesOfOneName)
{
    constexpr const char* kText =
        "# HELP a_total x\n# TYPE a_total counter\na_total{pool=\"x y\"} 3\na_total{pool=\"z\"} 4\n"
        "a_total_more 100\nb 2.5\n";
    EXPECT_EQ(metric_in(kText, "a_total"), 7);
    EXPECT_EQ(metric_in(kText, "b"), 2.5);
    EXPECT_EQ(metric_in(kText, "c"), 0);
}

} // namespace
} // namespace penguin::bench
