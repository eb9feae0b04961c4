#include "bench/plan/figures.h"

#include <gtest/gtest.h>

namespace penguin::bench::plan {
namespace {

constexpr std::string_view kDrain =
    R"({"verb":"drain","options":{"size":20480,"dkim":"rsa2048"},"results":{"cpu_us_per_message":
        {"daemon":350,"redis":15,"postgres":8,"sink":20,"dns":0.5},"accept_cpu_us_per_message":
        {"daemon":4,"redis":6,"postgres":3,"sink":0,"dns":0}}})";

std::string refusal(std::string_view json)
{
    const auto figures = with_file({}, json, "f.json");
    return figures ? "" : figures.error().detail;
}

TEST(PlanFigures, DrainSaysWhatAMessageCostsWithoutItsSignature)
{
    const Figures figures = with_file({}, kDrain, "f.json").value();
    EXPECT_DOUBLE_EQ(figures.unsigned_us(), 350 - 290);
    EXPECT_DOUBLE_EQ(figures.sending.sum(), 350 + 15 + 8 + 0.5);
    EXPECT_DOUBLE_EQ(figures.accepting.sum(), 13);
    EXPECT_DOUBLE_EQ(figures.size, 20'480);
    EXPECT_EQ(figures.origin.at("sending"), "f.json");
    EXPECT_EQ(figures.origin.at("accepting"), "f.json");
    EXPECT_FALSE(figures.origin.contains("signing"));
}

constexpr std::string_view kMicro = R"({"verb":"micro","results":{"dkim_us":{"rsa2048":200,"ed25519":30}}})";

TEST(PlanFigures, TheOrderOfTheFilesDoesNotMatter)
{
    for (const bool micro_first : {false, true}) {
        const Figures one = with_file({}, micro_first ? kMicro : kDrain, "1").value();
        const Figures both = with_file(one, micro_first ? kDrain : kMicro, "2").value();
        EXPECT_DOUBLE_EQ(both.unsigned_us(), 350 - 200);
        EXPECT_DOUBLE_EQ(both.signing_us(Dkim::both), 230);
        EXPECT_DOUBLE_EQ(both.signing_us(Dkim::none), 0);
    }
}

TEST(PlanFigures, SubmitSaysWhatACoreAccepts)
{
    const Figures figures =
        with_file({}, R"({"verb":"submit","machine":{"cores":2},"results":{"recipients_per_second":30000}})", "s")
            .value();
    EXPECT_DOUBLE_EQ(*figures.accepted_a_core, 15'000);
}

TEST(PlanFigures, RefusalsNameFileAndField)
{
    EXPECT_TRUE(refusal("{").starts_with("--figures f.json: no JSON"));
    EXPECT_EQ(refusal("[]"), "--figures f.json: the file must hold one object");
    EXPECT_EQ(refusal("{}"), "--figures f.json: results must be there, an object");
    EXPECT_EQ(refusal(R"({"verb":"rtt","results":{}})"), "--figures f.json: verb must be drain, submit or micro");
    EXPECT_EQ(
        refusal(R"({"verb":"drain","options":{"size":1,"dkim":"none"},"results":{"cpu_us_per_message":{"daemon":1}}})"),
        "--figures f.json: results.cpu_us_per_message.redis is missing");
    EXPECT_EQ(refusal(R"({"verb":"submit","machine":{"cores":2},"results":{"recipients_per_second":-1}})"),
              "--figures f.json: results.recipients_per_second must be a number, 0 or more");
}

TEST(PlanFigures, AMessageCostsMoreThanItsSignature)
{
    Figures figures;
    EXPECT_TRUE(check(figures));
    figures.sending.daemon = 100;
    figures.sending_dkim = Dkim::rsa2048;
    EXPECT_EQ(check(figures).error().detail,
              "--figures: the daemon's 100 us a message (drain) are not above the 290 us of its rsa2048 signatures");
}

} // namespace
} // namespace penguin::bench::plan
