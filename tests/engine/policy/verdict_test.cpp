#include "engine/policy/verdict.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace penguin::policy {
namespace {

using namespace std::chrono_literals;
using smtp::EnhancedCode;
using smtp::Outcome;
using smtp::Phase;
using smtp::Reply;
using Kind = Verdict::Kind;

Reply reply(int code, std::optional<EnhancedCode> enhanced, std::string text)
{
    return {code, {std::move(text)}, enhanced};
}

struct ReplyCase {
    const char* name;
    Phase phase;
    int code;
    std::optional<EnhancedCode> enhanced;
    const char* text;
    Kind kind;
    BounceClass klass;
    bool suppress;
};

const ReplyCase kReplies[] = {
    {"Accepted", Phase::body, 250, {}, "ok", Kind::delivered, BounceClass::none, false},
    {"UnknownUser", Phase::rcpt, 550, EnhancedCode{5, 1, 1}, "5.1.1 x", Kind::bounce, BounceClass::invalid_recipient,
     true},
    {"UnknownUserByWords", Phase::rcpt, 550, {}, "User unknown", Kind::bounce, BounceClass::invalid_recipient, true},
    {"Disabled", Phase::rcpt, 550, EnhancedCode{5, 2, 1}, "5.2.1 x", Kind::bounce, BounceClass::mailbox_disabled, true},
    {"FullForNow", Phase::rcpt, 452, EnhancedCode{4, 2, 2}, "4.2.2 x", Kind::retry, BounceClass::mailbox_full, false},
    {"Full", Phase::rcpt, 552, EnhancedCode{5, 2, 2}, "5.2.2 x", Kind::bounce, BounceClass::mailbox_full, false},
    {"TooLarge", Phase::mail, 552, {}, "too big", Kind::bounce, BounceClass::message_too_large, false},
    {"Greylisted", Phase::rcpt, 450, EnhancedCode{4, 2, 0}, "4.2.0 Greylisted", Kind::retry, BounceClass::greylisted,
     false},
    {"RateLimited", Phase::mail, 421, EnhancedCode{4, 7, 28}, "4.7.28 unusual rate", Kind::retry,
     BounceClass::rate_limited, false},
    // A refusal of the sender at RCPT is not the recipient's fault: the address stays usable.
    {"PolicyAtRcpt", Phase::rcpt, 554, EnhancedCode{5, 7, 1}, "5.7.1 no", Kind::bounce, BounceClass::policy_refused,
     false},
    // "blocked@example.com" in the text must not make a policy case of an unknown user.
    {"AddressInText", Phase::rcpt, 550, EnhancedCode{5, 1, 1}, "5.1.1 <blocked@e> user unknown", Kind::bounce,
     BounceClass::invalid_recipient, true},
    {"SenderRefused", Phase::mail, 550, {}, "no", Kind::bounce, BounceClass::sender_refused, false},
    {"SenderDomain", Phase::rcpt, 550, EnhancedCode{5, 1, 8}, "5.1.8 no", Kind::bounce, BounceClass::sender_refused,
     false},
    {"Relay", Phase::rcpt, 554, {}, "Relay access denied", Kind::bounce, BounceClass::relay_denied, false},
    {"ContentRefused", Phase::body, 554, {}, "spam", Kind::bounce, BounceClass::content_refused, false},
    {"ContentLater", Phase::body, 451, {}, "later", Kind::retry, BounceClass::server_busy, false},
    {"BannerRefusal",
     Phase::greeting,
     554,
     {},
     "no SMTP service here",
     Kind::retry,
     BounceClass::policy_refused,
     false},
    {"BannerBusy", Phase::greeting, 421, {}, "busy", Kind::retry, BounceClass::server_busy, false},
    {"UnexpectedPositive", Phase::data, 250, {}, "ok?", Kind::retry, BounceClass::protocol_error, false},
    {"UnexpectedIntermediate", Phase::body, 354, {}, "go on?", Kind::retry, BounceClass::protocol_error, false},
};

class VerdictOnReply : public testing::TestWithParam<ReplyCase> {};
TEST_P(VerdictOnReply, DecidesWhoIsToBlame)
{
    const ReplyCase& row = GetParam();
    const Verdict verdict = decide(Outcome::answered(row.phase, reply(row.code, row.enhanced, row.text)));
    EXPECT_EQ(verdict.kind, row.kind);
    EXPECT_EQ(name_of(verdict.klass), name_of(row.klass));
    EXPECT_EQ(verdict.suppress, row.suppress);
    EXPECT_FALSE(verdict.rule.empty());
}
INSTANTIATE_TEST_SUITE_P(Table, VerdictOnReply, testing::ValuesIn(kReplies),
                         [](const auto& row) { return std::string{row.param.name}; });

struct LossCase {
    const char* name;
    Phase phase;
    Errc code;
    bool may_be_duplicate;
    Kind kind;
    BounceClass klass;
};
const LossCase kLosses[] = {
    {"NoConnection", Phase::connect, Errc::refused, false, Kind::retry, BounceClass::connection_failed},
    {"Timeout", Phase::rcpt, Errc::timeout, false, Kind::retry, BounceClass::connection_failed},
    {"InBody", Phase::body, Errc::closed, true, Kind::retry, BounceClass::connection_failed},
    {"Tls", Phase::tls, Errc::tls_failed, false, Kind::retry, BounceClass::tls_failed},
    {"Babble", Phase::mail, Errc::malformed, false, Kind::retry, BounceClass::protocol_error},
    {"TooLargeForIt", Phase::mail, Errc::too_long, false, Kind::bounce, BounceClass::message_too_large},
    {"CannotCarry", Phase::mail, Errc::bad_value, false, Kind::bounce, BounceClass::content_refused},
    // No descriptor, no memory, stopping: never the mail's fault.
    {"OurFault", Phase::connect, Errc::local_fault, false, Kind::give_back, BounceClass::local_fault},
    {"Stopping", Phase::data, Errc::cancelled, false, Kind::give_back, BounceClass::local_fault},
    {"OurFaultInBody", Phase::body, Errc::local_fault, true, Kind::retry, BounceClass::connection_failed},
    {"StoppingInBody", Phase::body, Errc::cancelled, true, Kind::retry, BounceClass::connection_failed},
};
class VerdictOnLoss : public testing::TestWithParam<LossCase> {};
TEST_P(VerdictOnLoss, RetriesOrGivesBack)
{
    const LossCase& row = GetParam();
    const Verdict verdict = decide(Outcome::lost(row.phase, Error{row.code, "why"}, row.may_be_duplicate));
    EXPECT_EQ(verdict.kind, row.kind);
    EXPECT_EQ(name_of(verdict.klass), name_of(row.klass));
    EXPECT_FALSE(verdict.suppress);
}
INSTANTIATE_TEST_SUITE_P(Table, VerdictOnLoss, testing::ValuesIn(kLosses),
                         [](const auto& row) { return std::string{row.param.name}; });

TEST(Verdict, NotTriedCountsNoAttempt)
{
    EXPECT_EQ(decide(Outcome::not_tried(Phase::mail, Error{Errc::stale, ""})).kind, Kind::give_back);
}

TEST(Verdict, RoutesThatDoNotExistBounceAndThoseThatFailWait)
{
    EXPECT_EQ(decide_route({Errc::not_found, "no such domain"}).klass, BounceClass::no_such_domain);
    EXPECT_EQ(decide_route({Errc::refused, "null MX"}).klass, BounceClass::null_mx);
    EXPECT_EQ(decide_route({Errc::refused, "every target is private"}).klass, BounceClass::forbidden_target);
    EXPECT_EQ(decide_route({Errc::unavailable, "SERVFAIL"}).kind, Kind::retry);
    EXPECT_EQ(decide_route({Errc::timeout, "slow"}).kind, Kind::retry);
    EXPECT_EQ(decide_route({Errc::local_fault, "no descriptor"}).kind, Kind::give_back);
}

TEST(Verdict, AMessageThatCannotBeMadeBouncesOnlyWhenItNeverCan)
{
    EXPECT_EQ(decide_preparation({Errc::bad_value, "template"}).kind, Kind::bounce);
    EXPECT_EQ(decide_preparation({Errc::not_found, "content"}).kind, Kind::bounce);
    for (const Errc away : {Errc::unavailable, Errc::timeout}) {
        EXPECT_EQ(decide_preparation({away, "store"}).kind, Kind::give_back);
        EXPECT_EQ(decide_preparation({away, "store"}).rule, kStoreAway);
    }
    EXPECT_EQ(decide_preparation({Errc::denied, "signature"}).kind, Kind::retry);
    EXPECT_EQ(decide_preparation({Errc::local_fault, "memory"}).kind, Kind::give_back);
}

TEST(Verdict, TheNextHostIsTriedOnlyBeforeAnythingWasSaidOfTheMessage)
{
    EXPECT_TRUE(try_next_host(Outcome::lost(Phase::connect, {Errc::refused, ""})));
    EXPECT_TRUE(try_next_host(Outcome::answered(Phase::greeting, reply(421, {}, "busy"))));
    EXPECT_FALSE(try_next_host(Outcome::answered(Phase::mail, reply(421, {}, "busy"))));
    EXPECT_FALSE(try_next_host(Outcome::lost(Phase::connect, {Errc::local_fault, ""})));
}

TEST(Verdict, HintedWaitsAreUnderstood)
{
    EXPECT_EQ(hinted_wait("4.7.1 Greylisted, try again in 300 seconds"), Duration{300s});
    EXPECT_EQ(hinted_wait("please retry in 15 minutes"), Duration{15min});
    EXPECT_EQ(hinted_wait("come back in 2-hours"), Duration{2h});
    EXPECT_EQ(hinted_wait("wait 5 seconds"), Duration{1min});
    EXPECT_EQ(hinted_wait("wait 90 hours"), std::nullopt);
    EXPECT_EQ(hinted_wait("try again in some minutes"), std::nullopt);
    EXPECT_EQ(hinted_wait("99999999999999 seconds"), std::nullopt);
    EXPECT_EQ(hinted_wait(""), std::nullopt);
}

TEST(Verdict, ClassNamesAreDistinct)
{
    std::set<std::string_view> names;
    for (int i = 0; i <= static_cast<int>(BounceClass::undetermined); ++i)
        names.insert(name_of(static_cast<BounceClass>(i)));
    EXPECT_EQ(names.size(), static_cast<std::size_t>(BounceClass::undetermined) + 1);
}

} // namespace
} // namespace penguin::policy
