// A node's file of outcomes: what was appended is read again, whatever cut it; what nobody needs any more goes.
#include "engine/queue/journal.h"

#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

namespace penguin::queue {

namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

WrittenSettlement outcome(const std::string& name, std::string retry = "")
{
    return {.sequence = 0,
            .token = "t-" + name,
            .message = "m-" + name,
            .event = R"({"id":")" + name + "\"}",
            .retry = std::move(retry),
            .retry_at_ms = 1'700'000'000'123};
}

class JournalTest : public testing::Test {
protected:
    void SetUp() override
    {
        std::string pattern = testing::TempDir() + "journal-XXXXXX";
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        folder = pattern;
    }
    void TearDown() override { fs::remove_all(folder); }

    Journal::Options options(std::size_t segment_max = 1 << 20) const
    {
        return {.folder = folder / "pool", .segment_max = segment_max, .octets_max = 1 << 30, .keep = 60s};
    }
    // Gives them the sequences that they got.
    static std::vector<WrittenSettlement> append(Journal& journal, std::vector<WrittenSettlement> all)
    {
        EXPECT_TRUE(journal.append(all));
        return all;
    }
    static std::vector<WrittenSettlement> all_after(const Journal& journal, std::uint64_t sequence)
    {
        Journal::Reader reader = journal.read_after(sequence);
        std::vector<WrittenSettlement> out;
        while (auto one = reader.next()) out.push_back(std::move(*one));
        return out;
    }
    std::vector<fs::path> segments() const
    {
        std::vector<fs::path> out;
        for (const auto& file : fs::directory_iterator{folder / "pool"})
            if (file.path().extension() == ".log") out.push_back(file.path());
        std::ranges::sort(out);
        return out;
    }

    fs::path folder;
};

TEST_F(JournalTest, WhatWasAppendedIsReadAgainInItsOrder)
{
    Journal journal{options()};
    ASSERT_TRUE(journal.open());
    const auto written = append(journal, {outcome("a"), outcome("b", std::string("1tenant\n{\"v\":1,\0}", 17))});
    EXPECT_EQ(written[1].sequence, 2U);
    append(journal, {outcome("c")});
    EXPECT_EQ(journal.last(), 3U);
    const auto read = all_after(journal, 0);
    ASSERT_EQ(read.size(), 3U);
    EXPECT_EQ(read[0], written[0]);
    EXPECT_EQ(read[1], written[1]);
    EXPECT_EQ(all_after(journal, 2).size(), 1U);
    EXPECT_TRUE(all_after(journal, 3).empty());
}

TEST_F(JournalTest, TheNextProcessGoesOnCountingUnderTheSameIdentity)
{
    std::string identity;
    {
        Journal journal{options()};
        ASSERT_TRUE(journal.open());
        identity = journal.identity();
        append(journal, {outcome("a"), outcome("b")});
    }
    Journal journal{options()};
    ASSERT_TRUE(journal.open());
    EXPECT_EQ(journal.identity(), identity);
    EXPECT_EQ(journal.last(), 2U);
    EXPECT_EQ(append(journal, {outcome("c")})[0].sequence, 3U);
    EXPECT_EQ(all_after(journal, 0).size(), 3U);
}

// The file is cut at each octet: what is before the cut is there, nothing of the record that was cut.
TEST_F(JournalTest, ARecordThatACrashCutIsAsIfItHadNotBeen)
{
    {
        Journal journal{options()};
        ASSERT_TRUE(journal.open());
        append(journal, {outcome("a"), outcome("b")});
    }
    const fs::path segment = segments().front();
    std::ifstream in{segment, std::ios::binary};
    const std::string whole{std::istreambuf_iterator<char>{in}, {}};
    for (std::size_t cut = 0; cut < whole.size(); ++cut) {
        std::ofstream{segment, std::ios::binary | std::ios::trunc} << whole.substr(0, cut);
        Journal journal{options()};
        ASSERT_TRUE(journal.open());
        const auto read = all_after(journal, 0);
        EXPECT_LT(read.size(), 2U) << cut;
        EXPECT_EQ(append(journal, {outcome("new")})[0].sequence, read.size() + 1) << cut;
        EXPECT_EQ(all_after(journal, 0).size(), read.size() + 1) << cut;
        fs::remove_all(folder / "pool");
        fs::create_directories(folder / "pool");
    }
}

TEST_F(JournalTest, AnOctetThatChangedEndsItsSegment)
{
    {
        Journal journal{options()};
        ASSERT_TRUE(journal.open());
        append(journal, {outcome("a"), outcome("b")});
    }
    {
        std::fstream file{segments().front(), std::ios::binary | std::ios::in | std::ios::out};
        file.seekp(-3, std::ios::end);
        file.put('X');
    }
    Journal journal{options()};
    ASSERT_TRUE(journal.open());
    EXPECT_EQ(all_after(journal, 0).size(), 1U);
}

TEST_F(JournalTest, OnlyWhatWasToldAndConfirmedAndKeptLongEnoughGoes)
{
    Journal journal{options(150)}; // a segment for each append
    ASSERT_TRUE(journal.open());
    for (const char* name : {"a", "b", "c"}) append(journal, {outcome(name), outcome(name), outcome(name)});
    ASSERT_GE(segments().size(), 3U);
    const SteadyTime now = std::chrono::steady_clock::now();
    journal.confirmed({100, 0}, now + 1h);
    EXPECT_EQ(all_after(journal, 0).size(), 9U) << "nothing was told";
    journal.told(3, {100, 0});
    journal.told(6, {200, 0});
    journal.confirmed({150, 0}, now);
    EXPECT_EQ(all_after(journal, 0).size(), 9U) << "not kept long enough";
    EXPECT_EQ(journal.last_confirmed(), 3U);
    journal.confirmed({150, 0}, now + 1h);
    EXPECT_EQ(all_after(journal, 0).size(), 6U) << "the ledger has the first three";
    journal.confirmed({300, 0}, now + 1h);
    EXPECT_EQ(all_after(journal, 0).size(), 3U) << "the last three were not told";
    EXPECT_EQ(journal.last(), 9U);
}

TEST_F(JournalTest, AFullOneLosesTheOldestThatWasToldAndNothingElse)
{
    Journal::Options small = options(150);
    small.octets_max = 700;
    Journal journal{small};
    ASSERT_TRUE(journal.open());
    for (int i = 0; i < 10; ++i) append(journal, {outcome("a"), outcome("b"), outcome("c")});
    const SteadyTime now = std::chrono::steady_clock::now();
    journal.confirmed({0, 0}, now);
    EXPECT_EQ(all_after(journal, 0).size(), 30U) << "Redis has not been told";
    journal.told(30, {100, 0});
    journal.confirmed({0, 0}, now);
    EXPECT_LT(journal.octets(), 1'000U);
    const auto left = all_after(journal, 0);
    ASSERT_FALSE(left.empty());
    EXPECT_EQ(left.back().sequence, 30U);
}

TEST_F(JournalTest, SequencesThatRedisKnowsAreNotGivenAgain)
{
    Journal journal{options()};
    ASSERT_TRUE(journal.open());
    append(journal, {outcome("a")});
    journal.told(10, {1, 0}); // this folder lost its end with the machine's memory
    EXPECT_EQ(append(journal, {outcome("b")})[0].sequence, 11U);
}

std::vector<std::uint64_t> sequences_in(const std::vector<WrittenSettlement>& all)
{
    std::vector<std::uint64_t> out;
    for (const WrittenSettlement& one : all) out.push_back(one.sequence);
    return out;
}

TEST_F(JournalTest, WhatCannotBeWrittenIsReadFromMemoryAndWrittenAsSoonAsThereIsRoom)
{
    Journal journal{options(150)};
    ASSERT_TRUE(journal.open());
    append(journal, {outcome("a"), outcome("b"), outcome("c")});
    fs::rename(folder / "pool", folder / "away"); // the next segment cannot be made
    std::vector<WrittenSettlement> unwritten{outcome("d")};
    EXPECT_EQ(journal.append(unwritten).error().code, Errc::local_fault);
    EXPECT_EQ(unwritten[0].sequence, 4U);
    EXPECT_FALSE(journal.writable());
    EXPECT_EQ(sequences_in(all_after(journal, 3)), std::vector<std::uint64_t>{4});
    fs::rename(folder / "away", folder / "pool");
    EXPECT_TRUE(journal.writable());
    EXPECT_EQ(append(journal, {outcome("e")})[0].sequence, 5U);
    const std::vector<std::uint64_t> all{1, 2, 3, 4, 5};
    EXPECT_EQ(sequences_in(all_after(journal, 0)), all);
    Journal next{options()};
    ASSERT_TRUE(next.open());
    EXPECT_EQ(sequences_in(all_after(next, 0)), all) << "it is on the disk";
}

TEST_F(JournalTest, WhatWasToldBeforeItCouldBeWrittenIsConfirmedByItsPosition)
{
    Journal journal{options(150)};
    ASSERT_TRUE(journal.open());
    append(journal, {outcome("a"), outcome("b"), outcome("c")});
    journal.told(3, {5, 0});
    fs::rename(folder / "pool", folder / "away");
    std::vector<WrittenSettlement> unwritten{outcome("d")};
    EXPECT_FALSE(journal.append(unwritten));
    journal.told(4, {9, 0});
    fs::rename(folder / "away", folder / "pool");
    ASSERT_TRUE(journal.writable());
    const SteadyTime now = std::chrono::steady_clock::now();
    journal.confirmed({8, 0}, now);
    EXPECT_EQ(journal.last_confirmed(), 3U);
    journal.confirmed({9, 0}, now);
    EXPECT_EQ(journal.last_confirmed(), 4U);
}

TEST_F(JournalTest, WhoReadsWhileItIsWrittenSeesItOnce)
{
    Journal journal{options()};
    ASSERT_TRUE(journal.open());
    append(journal, {outcome("a")});
    Journal::Reader reader = journal.read_after(0);
    append(journal, {outcome("b")});
    std::vector<WrittenSettlement> seen;
    while (auto one = reader.next()) seen.push_back(std::move(*one));
    EXPECT_EQ(sequences_in(seen), (std::vector<std::uint64_t>{1, 2}));
}

} // namespace

} // namespace penguin::queue
