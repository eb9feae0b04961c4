#include "control/submit/batch_check.h"

#include <gtest/gtest.h>

namespace penguin::control::submit {
namespace {

using namespace std::chrono_literals;
using Kind = BatchRefused::Kind;
using Code = Refusal::Code;

const WallTime kNow = from_unix_ms(1'795'494'547'123);

EmailAddress address(std::string_view text) { return EmailAddress::parse(text).value(); }

BatchRequest request_to(std::vector<Recipient> recipients, bool strict = false)
{
    TemplateContent content{.from = {"Me", address("me@sender.example")},
                            .reply_to = {},
                            .subject = "Hello {{name}}",
                            .text = "About {{topic}}\n",
                            .html = "",
                            .headers = {},
                            .attachments = {},
                            .list_unsubscribe = "",
                            .defaults = {},
                            .strict = strict};
    BatchRequest request{.tenant = TenantId{Uuid::v7(kNow)}, .content = std::move(content)};
    request.recipients = std::move(recipients);
    return request;
}

BatchRequest plain() { return request_to({{"a@b.example", "", ""}}); }

Kind kind_of(const BatchRequest& request)
{
    const auto checked = check_batch(request, kNow);
    return checked ? Kind::fault : checked.error().kind;
}

TEST(BatchCheck, TakesAPlainBatch)
{
    const auto checked =
        check_batch(request_to({{"A@B.example", "Ann", R"({"topic":"x","n":1,"yes":true,"no":null})"}}), kNow);
    ASSERT_TRUE(checked) << checked.error().detail;
    ASSERT_EQ(checked->candidates.size(), 1U);
    EXPECT_EQ(checked->candidates[0].recipient.to.text(), "A@b.example");
    EXPECT_EQ(checked->candidates[0].recipient.vars, R"({"topic":"x","n":1,"yes":true,"name":"Ann"})");
    EXPECT_EQ(checked->expires, kNow + kLifeDefault);
    EXPECT_EQ(checked->sender.text(), "me@sender.example");
    EXPECT_EQ(checked->content.value().size(), 64U);
}

TEST(BatchCheck, RefusesRecipientsByPlaceAndReason)
{
    const auto checked = check_batch(request_to({{"a@b.example", "", ""},
                                                 {"not an address", "", ""},
                                                 {"A@B.EXAMPLE", "", ""},
                                                 {"c@b.example", "", ""},
                                                 {"", "", ""}}),
                                     kNow);
    ASSERT_TRUE(checked);
    ASSERT_EQ(checked->candidates.size(), 2U);
    EXPECT_EQ(checked->candidates[1].index, 3U);
    ASSERT_EQ(checked->refused.size(), 3U);
    const std::vector<std::pair<std::size_t, Code>> expected{
        {1, Code::bad_address}, {2, Code::duplicate_recipient}, {4, Code::bad_address}};
    for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_EQ(checked->refused[i].index, expected[i].first);
        EXPECT_EQ(checked->refused[i].code, expected[i].second);
        EXPECT_FALSE(checked->refused[i].detail.empty());
    }
}

TEST(BatchCheck, AStrictContentWantsItsVariables)
{
    const auto checked = check_batch(request_to({{"a@b.example", "Ann", R"({"topic":"x"})"},
                                                 {"b@b.example", "Bob", ""},
                                                 {"c@b.example", "", R"({"topic":"x"})"}},
                                                true),
                                     kNow);
    ASSERT_TRUE(checked) << checked.error().detail;
    EXPECT_EQ(checked->candidates.size(), 1U);
    ASSERT_EQ(checked->refused.size(), 2U);
    EXPECT_EQ(checked->refused[0].code, Code::missing_variable);
    EXPECT_TRUE(checked->refused[0].detail.contains("topic")) << checked->refused[0].detail;
    EXPECT_TRUE(checked->refused[1].detail.contains("name")) << checked->refused[1].detail;
}

std::vector<Recipient> many(std::size_t count, const std::string& vars)
{
    std::vector<Recipient> recipients;
    for (std::size_t i = 0; i < count; ++i) recipients.push_back({"r" + std::to_string(i) + "@b.example", "", vars});
    return recipients;
}

std::string times(std::size_t count, std::string_view text)
{
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out += text;
    return out;
}

struct CostlyStrict {
    const char* name;
    std::string text;
    std::size_t default_octets; // of the variable d
    std::size_t value_octets;   // of the variable v of each recipient
    std::size_t recipients;
};

// Each would render more than kStrictOctetsMax; what is taken is little.
TEST(BatchCheck, WhatAStrictContentRendersIsBoundedWhereverItComesFrom)
{
    const CostlyStrict costly[] = {
        {"Text", std::string(100'000, 'x'), 0, 0, 10'000},
        {"ADefaultByItsSize", "{{d}}", 1'000'000, 0, 10'000},
        {"AValueManyTimes", times(800, "{{v}}"), 0, 60'000, 100},
        {"MessagesThatLackAVariableAtTheirEnd", times(49, "{{d}}") + "{{nowhere}}", 1'000'000, 0, 100},
    };
    for (const CostlyStrict& one : costly) {
        const std::string vars =
            one.value_octets == 0 ? std::string{} : R"({"v":")" + std::string(one.value_octets, 'v') + "\"}";
        BatchRequest request = request_to(many(one.recipients, vars), true);
        auto& content = std::get<TemplateContent>(request.content);
        content.subject = "s";
        content.text = one.text;
        if (one.default_octets > 0) content.defaults = {{"d", std::string(one.default_octets, 'd')}};
        const auto checked = check_batch(request, kNow);
        ASSERT_FALSE(checked) << one.name;
        EXPECT_EQ(checked.error().kind, Kind::bad_content) << one.name;
        EXPECT_TRUE(checked.error().detail.starts_with("strict: ")) << one.name << ": " << checked.error().detail;
        request.recipients.resize(1);
        content.strict = false;
        EXPECT_TRUE(check_batch(request, kNow)) << one.name << ": only the check of strict contents has this bound";
    }
}

TEST(BatchCheck, AStrictContentOfUsualSizeMayHaveAllRecipients)
{
    BatchRequest request = request_to(many(kRecipientsMax, R"({"topic":"x","name":"Ann"})"), true);
    std::get<TemplateContent>(request.content).html = std::string(10'000, 'x') + "{{topic}}";
    const auto checked = check_batch(request, kNow);
    ASSERT_TRUE(checked) << checked.error().detail;
    EXPECT_EQ(checked->candidates.size(), kRecipientsMax);
}

TEST(BatchCheck, StopsWhenNobodyWaitsForIt)
{
    std::stop_source caller;
    const BatchRequest request = request_to({{"a@b.example", "Ann", R"({"topic":"x"})"}}, true);
    EXPECT_TRUE(check_batch(request, kNow, caller.get_token()));
    caller.request_stop();
    const auto checked = check_batch(request, kNow, caller.get_token());
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().kind, Kind::unavailable);
}

struct BadBatch {
    const char* name;
    void (*spoil)(BatchRequest&);
    Kind kind;
};

const BadBatch kBad[] = {
    {"NoRecipients", [](BatchRequest& r) { r.recipients.clear(); }, Kind::bad_request},
    {"TooManyRecipients", [](BatchRequest& r) { r.recipients.assign(kRecipientsMax + 1, {"a@b.example", "", ""}); },
     Kind::bad_request},
    {"VariablesNotJson", [](BatchRequest& r) { r.recipients[0].vars = "{"; }, Kind::bad_request},
    {"VariablesNoObject", [](BatchRequest& r) { r.recipients[0].vars = "[]"; }, Kind::bad_request},
    {"VariablesNested", [](BatchRequest& r) { r.recipients[0].vars = R"({"a":{"b":1}})"; }, Kind::bad_request},
    {"VariablesTooLong",
     [](BatchRequest& r) { r.recipients[0].vars = R"({"a":")" + std::string(kRecipientOctetsMax, 'x') + "\"}"; },
     Kind::bad_request},
    {"NameGrowsTooLong", [](BatchRequest& r) { r.recipients[0].name = std::string(kRecipientOctetsMax / 2, '\x01'); },
     Kind::bad_request},
    {"BatchTooLarge",
     [](BatchRequest& r) {
         r.recipients.clear();
         for (int i = 0; i < 300; ++i)
             r.recipients.push_back({"r" + std::to_string(i) + "@b.example", std::string(60'000, 'n'), ""});
     },
     Kind::bad_request},
    {"KeyTooLong", [](BatchRequest& r) { r.idempotency_key = std::string(kIdempotencyKeyMax + 1, 'k'); },
     Kind::bad_request},
    {"ExpiredAlready", [](BatchRequest& r) { r.expires = kNow - 1s; }, Kind::bad_request},
    {"ExpiresBeforeItStarts",
     [](BatchRequest& r) {
         r.not_before = kNow + 2h;
         r.expires = kNow + 1h;
     },
     Kind::bad_request},
    {"LivesTooLong", [](BatchRequest& r) { r.expires = kNow + kLifeMax + 1s; }, Kind::bad_request},
    {"StartsTooLate", [](BatchRequest& r) { r.not_before = kNow + kLifeMax + 1s; }, Kind::bad_request},
    {"NoTextAndNoHtml", [](BatchRequest& r) { std::get<TemplateContent>(r.content).text = ""; }, Kind::bad_content},
    {"TemplateBroken", [](BatchRequest& r) { std::get<TemplateContent>(r.content).subject = "{{#open}}"; },
     Kind::bad_content},
};

TEST(BatchCheck, RefusesABadBatchWhole)
{
    EXPECT_EQ(kind_of(plain()), Kind::fault) << "the batch is good before it is spoiled";
    for (const BadBatch& bad : kBad) {
        BatchRequest request = plain();
        bad.spoil(request);
        const auto checked = check_batch(request, kNow);
        ASSERT_FALSE(checked) << bad.name;
        EXPECT_EQ(checked.error().kind, bad.kind) << bad.name << ": " << checked.error().detail;
        EXPECT_FALSE(checked.error().detail.empty()) << bad.name;
        EXPECT_EQ(checked.error().field.empty(), bad.kind == Kind::bad_content) << bad.name;
        EXPECT_TRUE(checked.error().detail.starts_with(checked.error().field))
            << bad.name << ": " << checked.error().field;
    }
}

TEST(BatchCheck, TheRequestsHashKnowsEveryField)
{
    const auto hash = [](const BatchRequest& request) { return check_batch(request, kNow).value().request_hash; };
    const BatchRequest first = plain();
    EXPECT_EQ(hash(first), hash(first));
    std::vector<BatchRequest> others(9, first);
    others[0].recipients[0].email = "b@b.example";
    others[1].recipients[0].name = "Ann";
    others[2].recipients[0].vars = R"({"n":1})";
    others[3].recipients.push_back({"b@b.example", "", ""});
    others[4].campaign = CampaignId{Uuid::v7(kNow)};
    others[5].mailbox = MailboxId{Uuid::v7(kNow)};
    others[6].prio = queue::Priority::high;
    others[7].not_before = kNow + 1h;
    std::get<TemplateContent>(others[8].content).subject = "Other";
    for (std::size_t i = 0; i < others.size(); ++i) EXPECT_NE(hash(others[i]), hash(first)) << i;
    // A later repeat of the same request is the same.
    EXPECT_EQ(check_batch(first, kNow + 1h).value().request_hash, hash(first));
}

} // namespace
} // namespace penguin::control::submit
