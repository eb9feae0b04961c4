#include "bench/fairness/arrivals.h"

#include <unistd.h>

#include <fstream>

#include <gtest/gtest.h>

namespace penguin::bench {
namespace {

class ArrivalsTest : public testing::Test {
protected:
    ArrivalsTest() { std::filesystem::remove(log_); }
    ~ArrivalsTest() override { std::filesystem::remove(log_); }

    void append(const std::string& text) { std::ofstream{log_, std::ios::app} << text; }

    std::filesystem::path log_ =
        std::filesystem::temp_directory_path() / ("arrivals-" + std::to_string(getpid()) + ".jsonl");
};

TEST_F(ArrivalsTest, ReadsALogThatGrowsAndTakesNoHalfLine)
{
    Arrivals arrivals{log_};
    arrivals.read();
    EXPECT_EQ(arrivals.count_of({.first = 0, .count = 10}), 0U);
    append(R"({"time_ms":20,"rcpt":"u7@d1.example"})"
           "\n"
           R"({"time_ms":10,"rcpt":"u9@d1.example"})"
           "\n"
           R"({"time_ms":30,"rcpt":"u8@d1)");
    arrivals.read();
    EXPECT_EQ(arrivals.times_of({.first = 7, .count = 3}), (std::vector<std::int64_t>{10, 20}));
    append(R"(.example"})"
           "\n"
           R"({"time_ms":99,"rcpt":"u7@d1.example"})"
           "\n");
    arrivals.read();
    EXPECT_EQ(arrivals.times_of({.first = 7, .count = 3}), (std::vector<std::int64_t>{10, 20, 30}))
        << "what comes twice came first";
    EXPECT_EQ(arrivals.count_of({.first = 7, .count = 2}), 2U);
}

TEST(Fairness, WaitsAreBehindTheBeginning)
{
    EXPECT_EQ(waits_of({90, 110, 150}, 100), (std::vector<double>{0, 10, 50}));
}

TEST(Fairness, TheShareErrorIsTheLargerOfBoth)
{
    EXPECT_DOUBLE_EQ(share_error(100, 300, 3), 0);
    EXPECT_NEAR(share_error(104, 296, 3), 0.04, 1e-9); // 4 % too much for one, 1.3 % too little for the other
    EXPECT_NEAR(share_error(96, 304, 3), 0.04, 1e-9);
    EXPECT_DOUBLE_EQ(share_error(0, 400, 3), 1);
    EXPECT_DOUBLE_EQ(share_error(0, 0, 3), 1);
}

TEST(Fairness, TheWorstRatioIsOfAnyMessage)
{
    EXPECT_DOUBLE_EQ(worst_ratio({100, 200, 900}, 300), 1);
    EXPECT_DOUBLE_EQ(worst_ratio({450, 451, 452}, 300), 1.5);
    EXPECT_DOUBLE_EQ(worst_ratio({}, 300), 0);
}

} // namespace
} // namespace penguin::bench
