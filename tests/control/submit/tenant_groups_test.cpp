#include "control/submit/tenant_groups.h"

#include <gtest/gtest.h>

namespace penguin::control::submit {
namespace {

using Groups = TenantGroups<int>;
using Place = Groups::Place;

const TenantId kA{Uuid::parse("00000000-0000-7000-8000-00000000000a").value()};

TenantId tenant(int number)
{
    return TenantId{Uuid::parse("00000000-0000-7000-8000-" + std::to_string(100'000'000'000 + number)).value()};
}

TEST(TenantGroups, TheFirstGoesAloneAndThoseThatComeMeanwhileTogether)
{
    Groups groups;
    EXPECT_EQ(groups.join(kA, 1), Place::first);
    EXPECT_EQ(groups.take(kA), std::vector<int>{1});
    EXPECT_EQ(groups.join(kA, 2), Place::waiting);
    EXPECT_EQ(groups.join(kA, 3), Place::waiting);
    EXPECT_EQ(groups.waiting(), 2U);
    EXPECT_EQ(groups.take(kA), (std::vector<int>{2, 3}));
    EXPECT_TRUE(groups.take(kA).empty());
    EXPECT_EQ(groups.join(kA, 4), Place::first);
}

TEST(TenantGroups, TenantsDoNotShare)
{
    Groups groups;
    EXPECT_EQ(groups.join(tenant(1), 1), Place::first);
    EXPECT_EQ(groups.join(tenant(2), 2), Place::first);
    EXPECT_EQ(groups.take(tenant(2)), std::vector<int>{2});
    EXPECT_EQ(groups.take(tenant(1)), std::vector<int>{1});
}

TEST(TenantGroups, AGroupHasABoundAndTheRestIsNext)
{
    Groups groups;
    for (std::size_t i = 0; i < kGroupMax + 1; ++i) groups.join(kA, static_cast<int>(i));
    EXPECT_EQ(groups.take(kA).size(), kGroupMax);
    EXPECT_EQ(groups.take(kA), std::vector<int>{static_cast<int>(kGroupMax)});
}

TEST(TenantGroups, ATenantsLineHasABoundThatIsNotTheOthers)
{
    Groups groups;
    for (std::size_t i = 0; i < kWaitingOfTenantMax; ++i) EXPECT_NE(groups.join(kA, 0), Place::full);
    EXPECT_EQ(groups.join(kA, 0), Place::full);
    EXPECT_EQ(groups.join(tenant(1), 0), Place::first);
    groups.take(kA);
    EXPECT_EQ(groups.join(kA, 0), Place::waiting);
}

TEST(TenantGroups, AllLinesTogetherHaveABound)
{
    Groups groups;
    for (std::size_t i = 0; i < kWaitingMax; ++i) EXPECT_EQ(groups.join(tenant(static_cast<int>(i)), 0), Place::first);
    const TenantId last = tenant(static_cast<int>(kWaitingMax));
    EXPECT_EQ(groups.join(last, 0), Place::full);
    EXPECT_EQ(groups.take(tenant(0)).size(), 1U);
    EXPECT_EQ(groups.join(last, 0), Place::first); // the refusal left nothing of it behind
}

} // namespace
} // namespace penguin::control::submit
