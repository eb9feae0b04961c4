#include "bench/report/figures_file.h"

#include <gtest/gtest.h>

#include "bench/harness/patience.h"
#include "bench/report/provenance.h"
#include "bench/report/wording.h"

namespace penguin::bench::report {
namespace {

std::string text_with(const std::string& verb, const std::string& options, const std::string& results)
{
    return R"({"verb":")" + verb +
           R"(","machine":{"cores":2,"model":"A CPU","memory_mb":24105,"load":0.5,"load_after":1.5},"git":"abc","options":)" +
           options + R"(,"runs":[{},{}],"results":)" + results + "}";
}

std::string refusal(const std::string& text)
{
    try {
        parse_figures(text, "f.json");
        return "";
    } catch (const BenchError& error) {
        return error.what();
    }
}

TEST(ReportFiguresFile, WhatIsWrongIsNamedWithItsPlace)
{
    EXPECT_EQ(refusal(text_with("drain", "{}", "[]")), "");
    EXPECT_EQ(refusal("[]"), "f.json: the file must be an object");
    EXPECT_EQ(refusal("{}"), "f.json: verb is missing");
    EXPECT_EQ(refusal(text_with("drain", "[]", "{}")), "f.json: options must be an object");
    EXPECT_EQ(
        refusal(text_with("sing", "{}", "{}")),
        "f.json: verb must be one of drain, submit, flow, plan, micro, compare, scale, soak, rtt, fairness, sustain");
}

TEST(ReportFiguresFile, PlacesGoDownIntoArrays)
{
    const FiguresFile file =
        parse_figures(text_with("scale", "{}", R"({"axes":[{"points":[{"value":-1}]}]})"), "f.json");
    const Field point = file.results().at("axes").items().front().at("points").items().front();
    try {
        point.number("value");
        FAIL();
    } catch (const BenchError& error) {
        EXPECT_STREQ(error.what(), "f.json: results.axes[0].points[0].value must be a number, 0 to 1e15");
    }
}

std::string command(const std::string& verb, const std::string& options, const std::string& results)
{
    return command_of(parse_figures(text_with(verb, options, results), "f.json"));
}

TEST(ReportProvenance, TheCommandHasEveryOptionAndIsSafeInAShell)
{
    EXPECT_EQ(command("submit", R"({"batch":[1,100],"tls":false,"inject_clients":32,"content":"a b'c"})", "{}"),
              R"(penguin-bench submit --batch 1,100 --inject-clients 32 --content 'a b'\''c' --runs 2)");
    EXPECT_EQ(command("plan",
                      R"({"messages_a_month":1e8,"shares":{"google":0.5},"mailbox_day_max":null,"setback":["google:6"],
                          "machine":{"name":"medium","addresses":64}})",
                      R"({"figures_from":{"sending":"d.json","signing":"default"}})"),
              "penguin-bench plan --messages-a-month 100000000 --setback google:6 --share google=0.5 --machine medium "
              "--addresses-per-node 64 --figures d.json");
    EXPECT_EQ(command("scale", R"({"size":2048,"axes":{"tenants":[1,10]}})", "{}"),
              "penguin-bench scale --size 2048 --axis tenants --values 1,10 --runs 2");
}

TEST(ReportProvenance, OthersOnTheMachineAreFoundAnywhere)
{
    EXPECT_TRUE(disturbed(parse_figures(text_with("submit", "{}", R"({"cases":[{"limit":"others"}]})"), "f.json")));
    EXPECT_FALSE(disturbed(parse_figures(text_with("submit", "{}", R"({"limit":"machine","x":"others"})"), "f.json")));
    EXPECT_EQ(place_of(parse_figures(text_with("drain", "{}", "{}"), "f.json")),
              "2 cores (A CPU), 23.5 GB; commit abc; load 0.5 before, 1.5 after; median of 2 runs");
}

TEST(ReportWording, FiguresAreRoundedForReaders)
{
    EXPECT_EQ(figure(4343.56), "4,344");
    EXPECT_EQ(figure(93.129), "93.1");
    EXPECT_EQ(figure(6.4), "6.4");
    EXPECT_EQ(figure(99.97), "100");
    EXPECT_EQ(figure(0), "0");
    EXPECT_EQ(volume(1e8), "100 million");
    EXPECT_EQ(volume(1.5e6), "1.5 million");
    EXPECT_EQ(volume(250'000), "250,000");
}

TEST(ReportWording, WhatXmlDoesNotAllowIsReplaced)
{
    EXPECT_EQ(escaped("a<b>&\"\x01\t\xEF\xBF\xBE\xC3\xA4"), "a&lt;b&gt;&amp;&quot;\xEF\xBF\xBD\t\xEF\xBF\xBD\xC3\xA4");
}

TEST(ReportWording, MailOfTheSameKindIsToldApartByItsFile)
{
    Files files;
    files.push_back(parse_figures(text_with("drain", R"({"dkim":"none"})", "{}"), "x/one.json"));
    files.push_back(parse_figures(text_with("drain", R"({"dkim":"none"})", "{}"), "x/two.json"));
    files.push_back(parse_figures(text_with("drain", R"({"dkim":"rsa2048","tls":true})", "{}"), "x/three.json"));
    EXPECT_EQ(mail_labels(of_verb(files, "drain")),
              (std::vector<std::string>{"unsigned [one]", "unsigned [two]", "signed (RSA-2048), TLS"}));
}

} // namespace
} // namespace penguin::bench::report
