#include "engine/smtp/capabilities.h"

#include <gtest/gtest.h>

namespace penguin::smtp {
namespace {

Capabilities offered(std::vector<std::string> keywords)
{
    keywords.insert(keywords.begin(), "mx.example says hello");
    return Capabilities::of_ehlo(Reply::make(250, std::move(keywords)));
}

TEST(Capabilities, KnowsTheKeywordsInAnyCase)
{
    const Capabilities all = offered({"STARTTLS", "Pipelining", "8bitmime", "SMTPUTF8", "CHUNKING",
                                      "ENHANCEDSTATUSCODES", "DSN", "SIZE 1000", "HELP", "XFORWARD NAME"});
    EXPECT_EQ(all.name, "mx.example");
    EXPECT_TRUE(all.esmtp && all.starttls && all.pipelining && all.eight_bit_mime && all.smtputf8 && all.chunking &&
                all.enhanced_status_codes && all.dsn && all.size);
    EXPECT_EQ(all.size_limit, 1000U);
}

TEST(Capabilities, TheFirstLineIsANameAndOffersNothing)
{
    const Capabilities none = Capabilities::of_ehlo(Reply::make(250, {"PIPELINING STARTTLS"}));
    EXPECT_FALSE(none.pipelining);
    EXPECT_FALSE(none.starttls);
    EXPECT_EQ(none.name, "PIPELINING");
}

TEST(Capabilities, AWordIsNotItsPrefix)
{
    const Capabilities none = offered({"PIPELINING2", "STARTTLSX", "XSIZE 5", "8BITMIME-NOT", ""});
    EXPECT_EQ(none, offered({}));
}

TEST(Capabilities, SizeWithoutAUsableNumberIsNoLimit)
{
    for (const char* keyword : {"SIZE", "SIZE 0", "SIZE x", "SIZE -1", "SIZE 99999999999999999999999", "SIZE 12k"}) {
        const Capabilities caps = offered({keyword});
        EXPECT_TRUE(caps.size) << keyword;
        EXPECT_FALSE(caps.size_limit) << keyword;
    }
}

TEST(Capabilities, HeloOffersNothing)
{
    const Capabilities helo = Capabilities::of_helo(Reply::make(250, {"old.example", "PIPELINING"}));
    EXPECT_EQ(helo.name, "old.example");
    EXPECT_FALSE(helo.esmtp);
    EXPECT_FALSE(helo.pipelining);
}

TEST(Capabilities, BoundsTheNameAndBearsAnEmptyReply)
{
    EXPECT_EQ(Capabilities::of_ehlo(Reply::make(250, {std::string(2000, 'x')})).name.size(), Capabilities::kNameMax);
    EXPECT_TRUE(Capabilities::of_ehlo(Reply{}).name.empty());
}

} // namespace
} // namespace penguin::smtp
