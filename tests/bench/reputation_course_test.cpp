// Sixty days of a sender that warms up at the bundled profiles, hour by hour in virtual time: their numbers let a careful one
// grow and stop one that goes by its calendar.
#include <algorithm>
#include <cmath>
#include <filesystem>

#include <gtest/gtest.h>

#include "bench/sink/sink_profile.h"

namespace penguin::bench {
namespace {

using namespace std::chrono_literals;

constexpr int kDays = 60;

struct Course {
    double delivered = 0;
    double pushed = 0;
    std::uint32_t blocks = 0;
    Grade grade = Grade::bad; // at the end
};

// `cap`: messages that the sender wants to send on a day, by the Standing in its first hour. An hour brings an even part of it.
template <class Cap>
Course sixty_days(const ReputationRules& rules, double unknown, Cap cap)
{
    Reputation reputation{rules, 0h};
    double today = 0;
    for (int hour = 0; hour < kDays * 24; ++hour) {
        const Duration now = std::chrono::hours{hour};
        const Standing standing = reputation.standing(now);
        if (hour % 24 == 0) today = cap(hour / 24, standing);
        const double wanted = today / 24;
        const double taken = standing.blocked ? 0 : std::min(wanted, standing.room);
        const double heard = taken * (1 - standing.deferred);
        reputation.saw({.delivered = heard * (1 - unknown),
                        .unknown = heard * unknown,
                        .pushed = wanted - taken,
                        .complaints = heard * (1 - unknown) * standing.complained},
                       now);
    }
    const Conduct& total = reputation.total();
    return {total.delivered, total.pushed, reputation.blocks(), reputation.standing(kDays * 24h).grade};
}

double calendar(int day, const Standing& /*standing*/) { return 100 * std::pow(1.3, std::min(day, 25)); }

// The same calendar, but a day on which less is allowed does not count, and nothing is sent that has no room.
class Careful {
public:
    double operator()(int /*day*/, const Standing& standing)
    {
        const double cap = std::min(calendar(stage_, standing), standing.room);
        if (standing.allowed >= 1 && cap >= calendar(stage_, standing)) ++stage_;
        return standing.blocked ? 0 : cap;
    }

private:
    int stage_ = 0;
};

class BundledCourse : public testing::TestWithParam<const char*> {
protected:
    static ReputationRules rules()
    {
        const std::filesystem::path file =
            std::filesystem::path{PENGUIN_PROFILES} / (std::string{GetParam()} + ".toml");
        return SinkProfile::read(file).value().reputation.value().rules;
    }
};

TEST_P(BundledCourse, AModerateCurveWithGoodMailEndsHigh)
{
    const Course course = sixty_days(rules(), 0.01, calendar);
    EXPECT_EQ(course.grade, Grade::high);
    EXPECT_EQ(course.blocks, 0U);
    EXPECT_EQ(course.pushed, 0);
}

TEST_P(BundledCourse, ABadListIsBlockedWhateverTheCurve)
{
    const Course course = sixty_days(rules(), 0.15, calendar);
    EXPECT_LT(course.grade, Grade::medium);
    EXPECT_GT(course.blocks, 0U);
    EXPECT_LT(course.delivered, sixty_days(rules(), 0.01, calendar).delivered / 4);
}

TEST_P(BundledCourse, WhenItTurnsHostileACalendarIsBlockedAndACarefulSenderIsNot)
{
    ReputationRules hostile = rules();
    hostile.hostile = ReputationRules::Hostile{.from_day = 8, .days = 14, .factor = 0.1};
    const Course blind = sixty_days(hostile, 0.01, calendar);
    const Course careful = sixty_days(hostile, 0.01, Careful{});
    EXPECT_GT(blind.blocks, 0U);
    EXPECT_EQ(careful.blocks, 0U);
    EXPECT_EQ(careful.grade, Grade::high);
    EXPECT_GT(careful.delivered, 2 * blind.delivered);
}

INSTANTIATE_TEST_SUITE_P(Profiles, BundledCourse, testing::Values("gmail", "outlook", "yahoo"),
                         [](const auto& row) { return std::string{row.param}; });

} // namespace
} // namespace penguin::bench
