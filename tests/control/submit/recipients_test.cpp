#include "control/submit/recipients.h"

#include <gtest/gtest.h>

#include "control/db/compression.h"

namespace penguin::control::submit {
namespace {

std::vector<StoredRecipient> people(std::size_t count)
{
    std::vector<StoredRecipient> all;
    for (std::size_t i = 0; i < count; ++i)
        all.push_back({EmailAddress::parse("r" + std::to_string(i) + "@b.example").value(),
                       i % 3 == 0 ? "" : R"({"name":"A \"quoted\" ümlaut","n":)" + std::to_string(i) + "}"});
    return all;
}

TEST(Recipients, ComeBackFromTheirChunks)
{
    for (const std::size_t count : {1U, 499U, 500U, 501U, 1000U, 1234U}) {
        const auto all = people(count);
        const auto chunks = pack_recipients(all);
        EXPECT_EQ(chunks.size(), (count + kChunk - 1) / kChunk);
        std::size_t seen = 0;
        for (const db::Bytes& chunk : chunks) {
            const auto some = unpack_chunk(chunk.value);
            ASSERT_TRUE(some) << some.error().detail;
            for (const StoredRecipient& one : *some) {
                EXPECT_EQ(one.to, all[seen].to);
                EXPECT_EQ(one.vars, all[seen].vars);
                ++seen;
            }
        }
        EXPECT_EQ(seen, count);
    }
}

TEST(Recipients, DamageIsSeen)
{
    for (const char* text : {"", "{}", "[1]", "[[1,{}]]", R"([["a@b.example"]])", R"([["a@b.example",[]]])",
                             R"([["not an address",{}]])", R"([["a@b.example",{}])"})
        EXPECT_EQ(unpack_chunk(db::compress(text)).has_value(), false) << text;
    EXPECT_FALSE(unpack_chunk("not zlib"));
}

} // namespace
} // namespace penguin::control::submit
