// The canonical text, the hash, and what a check finds in a log that somebody has changed.
#include "control/audit/chain.h"

#include <functional>

#include <gtest/gtest.h>

#include "control/audit/record_text.h"

namespace penguin::control::audit {
namespace {

const TenantId kTenant{*Uuid::parse("01936f8a-0000-7000-8000-00000000000a")};

AuditRecord record_after(const Hash& before, std::int64_t seq, std::string resource)
{
    AuditRecord record{.seq = seq,
                       .entry = {.time = WallTime{std::chrono::microseconds{1'700'000'000'123'456 + seq}},
                                 .action = "tenant.created",
                                 .actor = "who",
                                 .tenant = kTenant,
                                 .resource = std::move(resource),
                                 .peer = "192.0.2.1",
                                 .request_id = "r",
                                 .detail = R"({"weight":1})"},
                       .hash = {}};
    record.hash = hash_after(before, seq, record.entry);
    return record;
}

std::vector<AuditRecord> log_of(std::int64_t count)
{
    std::vector<AuditRecord> log;
    Hash before = kNoHash;
    for (std::int64_t seq = 1; seq <= count; ++seq) {
        log.push_back(record_after(before, seq, "tenant/" + std::to_string(seq)));
        before = log.back().hash;
    }
    return log;
}

std::optional<ChainFault> fault_in(const std::vector<AuditRecord>& log, std::optional<Head> expected = {})
{
    ChainCheck check{expected};
    for (const AuditRecord& record : log)
        if (auto fault = check.take(record)) return fault;
    return check.end();
}

TEST(AuditChain, CanonicalTextHasEveryFieldWithItsLength)
{
    db::AuditEntry entry{.time = WallTime{std::chrono::microseconds{5}}, .action = "a", .actor = "", .resource = "r"};
    EXPECT_EQ(canonical_text(1, entry), "1:1,1:5,1:a,0:,0:,1:r,0:,0:,2:{},");
    entry.tenant = kTenant;
    entry.actor = "\xC3\xA9,\n\"1:";
    EXPECT_EQ(canonical_text(12, entry),
              "2:12,1:5,1:a,7:\xC3\xA9,\n\"1:,36:01936f8a-0000-7000-8000-00000000000a,1:r,0:,0:,2:{},");
}

TEST(AuditChain, NoTwoRecordsHaveOneCanonicalText)
{
    const db::AuditEntry a{.time = {}, .action = "ab", .actor = "c", .resource = ""};
    const db::AuditEntry b{.time = {}, .action = "a", .actor = "bc", .resource = ""};
    const db::AuditEntry c{.time = {}, .action = "a,2:bc", .actor = "", .resource = ""};
    EXPECT_NE(canonical_text(1, a), canonical_text(1, b));
    EXPECT_NE(canonical_text(1, b), canonical_text(1, c));
}

TEST(AuditChain, AWholeLogIsWhole)
{
    const auto log = log_of(5);
    EXPECT_EQ(fault_in(log), std::nullopt);
    EXPECT_EQ(fault_in({}), std::nullopt);
    EXPECT_EQ(fault_in(log, Head{5, log[4].hash}), std::nullopt);
    EXPECT_EQ(fault_in(log, Head{3, log[2].hash}), std::nullopt) << "it has grown since";
    EXPECT_EQ(fault_in({}, Head{0, kNoHash}), std::nullopt);
}

struct Tampering {
    const char* name;
    std::function<void(std::vector<AuditRecord>&)> with;
    std::int64_t found_at;
    const char* what;
};
const Tampering kTampering[] = {
    {"Action", [](auto& log) { log[2].entry.action = "tenant.deleted"; }, 3, "changed"},
    {"Actor", [](auto& log) { log[2].entry.actor = "another"; }, 3, "changed"},
    {"Tenant", [](auto& log) { log[2].entry.tenant.reset(); }, 3, "changed"},
    {"Resource", [](auto& log) { log[2].entry.resource += 'x'; }, 3, "changed"},
    {"Peer", [](auto& log) { log[2].entry.peer = ""; }, 3, "changed"},
    {"RequestId", [](auto& log) { log[2].entry.request_id = "s"; }, 3, "changed"},
    {"Detail", [](auto& log) { log[2].entry.detail = R"({"weight":2})"; }, 3, "changed"},
    {"TimeByAMicrosecond", [](auto& log) { log[2].entry.time += Duration{1}; }, 3, "changed"},
    {"Hash", [](auto& log) { log[2].hash[31] ^= 1; }, 3, "changed"},
    {"Moved between fields",
     [](auto& log) {
         log[2].entry.peer = "192.0.2.";
         log[2].entry.request_id = "1r";
     },
     3, "changed"},
    {"LeftOut", [](auto& log) { log.erase(log.begin() + 2); }, 3, "missing"},
    {"FirstLeftOut", [](auto& log) { log.erase(log.begin()); }, 1, "missing"},
    {"Swapped", [](auto& log) { std::swap(log[2], log[3]); }, 3, "out of order"},
    {"Twice", [](auto& log) { log.insert(log.begin() + 2, log[2]); }, 3, "comes again"},
    {"LeftOutAndNumberedAnew",
     [](auto& log) {
         log.erase(log.begin() + 2);
         for (std::size_t i = 2; i < log.size(); ++i) log[i].seq = static_cast<std::int64_t>(i) + 1;
     },
     3, "changed"},
    {"ChangedWithItsHash",
     [](auto& log) {
         log[2].entry.actor = "x";
         log[2].hash = hash_after(log[1].hash, 3, log[2].entry);
     },
     4, "changed"},
};

TEST(AuditChain, EveryTamperingIsFoundAtItsRecord)
{
    for (const Tampering& tampering : kTampering) {
        SCOPED_TRACE(tampering.name);
        auto log = log_of(5);
        tampering.with(log);
        const auto fault = fault_in(log);
        ASSERT_TRUE(fault);
        EXPECT_EQ(fault->seq, tampering.found_at);
        EXPECT_NE(fault->what.find(tampering.what), std::string::npos) << fault->what;
    }
}

TEST(AuditChain, AHeadThatWasKeptShowsACutAndARewriting)
{
    const auto log = log_of(5);
    const Head kept{5, log[4].hash};
    const auto cut = fault_in({log.begin(), log.begin() + 3}, kept);
    ASSERT_TRUE(cut);
    EXPECT_EQ(cut->seq, 4);
    EXPECT_TRUE(fault_in({}, kept));
    auto anew = log;
    Hash before = anew[1].hash;
    for (std::size_t i = 2; i < anew.size(); ++i) {
        anew[i].entry.actor = "nobody";
        before = anew[i].hash = hash_after(before, anew[i].seq, anew[i].entry);
    }
    EXPECT_EQ(fault_in(anew), std::nullopt) << "the chain alone cannot know";
    ASSERT_TRUE(fault_in(anew, kept));
    EXPECT_EQ(fault_in(anew, kept)->seq, 5);
}

TEST(AuditChain, AHeadIsWrittenAndRead)
{
    const Head head{12, log_of(1)[0].hash};
    EXPECT_EQ(Head::parse(head.text()).value(), head);
    const std::string hash(64, '0');
    for (const std::string& text : {std::string{""}, std::string{":"}, "1" + hash, "x:" + hash, "-1:" + hash,
                                    "1:" + hash + "0", "1:" + std::string(64, 'g'), "1 :" + hash})
        EXPECT_FALSE(Head::parse(text)) << text;
}

TEST(AuditRecordText, ALineIsTheRecord)
{
    auto log = log_of(2);
    log[1].entry.tenant.reset();
    log[1].entry.actor = "\xC3\xA9 \"\\\n\t\x01";
    for (const AuditRecord& record : log) {
        const std::string line = line_of(record);
        EXPECT_EQ(line.find('\n'), std::string::npos);
        const auto parsed = parse_record(line);
        ASSERT_TRUE(parsed) << parsed.error().detail;
        EXPECT_EQ(*parsed, record);
    }
    EXPECT_NE(line_of(log[0]).find(R"("time":"2023-11-14T22:13:20.123457Z")"), std::string::npos) << line_of(log[0]);
}

TEST(AuditRecordText, RefusesWhatIsNoRecordOfOurs)
{
    const std::string line = line_of(log_of(1)[0]);
    const auto with = [&line](const std::string& what, const std::string& by) {
        std::string changed = line;
        return changed.replace(changed.find(what), what.size(), by);
    };
    for (const std::string& text :
         {std::string{}, std::string{"[]"}, line + line, line.substr(1), with("\"seq\":1,", ""),
          with("\"seq\":1", "\"seq\":1.0"), with("\"actor\"", "\"actress\""), with("\"who\"", "7"),
          with("\"hash\":\"", "\"hash\":\"0"), with("{", R"({"note":"seen by nobody",)"), with("{", R"({"seq":1,)"),
          with("457Z", "457+00:00"), with("\"tenant_id\":\"0", "\"tenant_id\":\"x"), with("Z\"", "0Z\"")})
        EXPECT_FALSE(parse_record(text)) << text;
}

} // namespace
} // namespace penguin::control::audit
