// What the shipped rules make of real replies: replies/*.txt.
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "engine/base/units.h"
#include "engine/policy/verdict.h"
#include "tests/engine/policy/reply_cases.h"

namespace penguin::policy {
namespace {

using Kind = Verdict::Kind;

std::string time_text(Duration time)
{
    return duration_text(std::chrono::duration_cast<std::chrono::milliseconds>(time));
}

// The third line of a case, of what was decided.
std::string text_of(const Verdict& verdict)
{
    std::string out{verdict.rule};
    out += ' ';
    out += name_of(verdict.klass);
    out += verdict.kind == Kind::bounce ? " bounce" : verdict.kind == Kind::retry ? " retry" : " ?";
    if (verdict.suppress) out += " suppress";
    if (verdict.wait) out += " wait " + time_text(*verdict.wait);
    if (verdict.life) out += " life " + time_text(*verdict.life);
    if (verdict.matched)
        for (const Reaction& reaction : verdict.matched->reactions) out += "; " + reaction.text();
    return out;
}

const std::vector<ReplyCase>& cases()
{
    static const std::vector<ReplyCase> all = reply_cases(PENGUIN_REPLIES);
    return all;
}

TEST(ReplyFacts, EachReplyHasItsRule)
{
    for (const ReplyCase& one : cases()) {
        const auto outcome = smtp::Outcome::answered(one.phase, one.reply);
        EXPECT_EQ(text_of(decide(outcome, *shipped_rules(), one.provider)), one.expected)
            << one.name << ": " << normalised(one.reply).text;
    }
}

TEST(ReplyFacts, EachRuleHasAReply)
{
    std::set<std::string> shown;
    for (const ReplyCase& one : cases()) shown.insert(one.expected.substr(0, one.expected.find(' ')));
    std::set<std::string> shipped;
    for (const RulePtr& rule : shipped_rules()->rules()) shipped.insert(rule->id);
    EXPECT_EQ(shown, shipped);
    EXPECT_GE(cases().size(), 180U);
}

// A provider's words from somebody else are no reason to think that this provider's address is blocked.
TEST(ReplyFacts, RulesOfAProviderAreItsOwn)
{
    for (const ReplyCase& one : cases()) {
        const RulePtr rule = shipped_rules()->find("", one.phase, normalised(one.reply));
        if (rule) {
            EXPECT_TRUE(rule->providers.empty()) << one.name << ": " << rule->id;
        }
    }
}

// Where no rule knows a reply, its codes decide as they did before there were rules.
TEST(ReplyFacts, AReplyThatNoRuleKnowsHasTheVerdictOfItsCodes)
{
    using smtp::Phase;
    std::size_t known = 0;
    for (const Phase phase : {Phase::greeting, Phase::ehlo, Phase::mail, Phase::rcpt, Phase::data, Phase::body})
        for (const char* const text :
             {"421 x", "421 4.7.0 x", "450 4.2.0 x", "451 4.7.1 please come back in 15 minutes", "452 4.2.2 x", "550 x",
              "550 5.1.1 x", "550 5.7.1 x", "552 5.3.4 x", "555 5.6.0 x", "250 2.0.0 taken", "354 go on"}) {
            const std::string_view line = text;
            const auto outcome =
                smtp::Outcome::answered(phase, smtp::Reply::make(std::stoi(text), {std::string{line.substr(4)}}));
            for (const char* const provider : {"", "gmail", "m365", "orange", "mimecast"}) {
                if (shipped_rules()->find(provider, phase, normalised(*outcome.reply))) ++known;
                EXPECT_EQ(decide(outcome, *shipped_rules(), provider), decide(outcome)) << text;
            }
        }
    EXPECT_EQ(known, 0U);
}

struct HostCase {
    const char* host;
    const char* provider;
};
const HostCase kHosts[] = {
    {"gmail-smtp-in.l.google.com", "gmail"},
    {"alt1.aspmx.l.google.com", "gmail"},
    {"smtp.google.com", "gmail"},
    {"aspmx2.googlemail.com", "gmail"},
    {"google.com", "gmail"},
    {"notgoogle.com", ""},
    {"google.com.example", ""},
    {"mta5.am0.yahoodns.net", "yahoo"},
    {"outlook-com.olc.protection.outlook.com", "outlook"},
    {"b-example.mail.protection.outlook.com", "m365"},
    {"b-example.k-v1.mx.microsoft", "m365"},
    {"protection.outlook.com", ""},
    {"mx01.mail.icloud.com", "icloud"},
    {"mx1a1.comcast.net", "comcast"},
    {"cxr.mx.a.cloudfilter.net", "cox"},
    {"mx1.charter.net", "spectrum"},
    {"ff-ip4-mx-vip1.prodigy.net", "att"},
    {"smtp.secureserver.net", "godaddy"},
    {"smtp-in.orange.fr", "orange"},
    {"smtpz4.laposte.net", "laposte"},
    {"mx1.free.fr", "free"},
    {"mx00.gmx.net", "gmx"},
    {"mx-ha02.web.de", "gmx"},
    {"mx00.t-online.de", "t-online"},
    {"mxs.mail.ru", "mailru"},
    {"mx.yandex.ru", "yandex"},
    {"mx3.qq.com", "qq"},
    {"163mx01.mxmail.netease.com", "netease"},
    {"mx0a-00012345.pphosted.com", "proofpoint"},
    {"eu-smtp-inbound-1.mimecast.com", "mimecast"},
    {"d1234.ess.barracudanetworks.com", "barracuda"},
    {"mx1.b-example.iphmx.com", "cisco"},
    {"cluster1.eu.messagelabs.com", "symantec"},
    {"b-example.in.tmes.trendmicro.eu", "trendmicro"},
    {"mx.b.example", ""},
    {"", ""},
};

TEST(ReplyFacts, ProvidersAreToldByTheirMxHosts)
{
    for (const HostCase& one : kHosts) EXPECT_EQ(shipped_rules()->provider_of(one.host), one.provider) << one.host;
}

// The words in an address that the server repeats are the recipient's, not the server's.
TEST(ReplyFacts, NoRuleFitsTheWordsOfAnAddress)
{
    for (const ReplyCase& one : cases()) {
        std::string words = normalised(one.reply).text;
        for (char& c : words)
            if (c == ' ' || c == '<' || c == '>' || c == '(' || c == ')' || c == ':' || c == ';' || c == ',' ||
                c == '[' || c == ']' || c == '@' || c == '"' || c == '\\')
                c = '.';
        const smtp::Reply echo = smtp::Reply::make(one.reply.code, {"<" + words + "@b.example>: x"});
        const RulePtr rule = shipped_rules()->find(one.provider, one.phase, normalised(echo));
        if (rule) {
            EXPECT_TRUE(rule->says.empty()) << one.name << ": " << rule->id;
        }
    }
}

// What a name promises in many places: the classes that only speak of a recipient never stop a source, and those that speak of
// us never cost the recipient anything.
TEST(ReplyFacts, WhoIsToBlameAloneIsPunished)
{
    const std::set<BounceClass> recipient{BounceClass::invalid_recipient, BounceClass::mailbox_disabled,
                                          BounceClass::mailbox_full,      BounceClass::recipient_rate,
                                          BounceClass::recipient_policy,  BounceClass::null_mx};
    for (const RulePtr& rule : shipped_rules()->rules()) {
        bool suppresses = rule->suppress;
        for (const Reaction& reaction : rule->reactions) {
            suppresses = suppresses || reaction.kind == ReactionKind::suppress;
            if (recipient.contains(rule->klass)) {
                EXPECT_TRUE(reaction.kind == ReactionKind::suppress || reaction.scope == PauseScope::recipient_domain)
                    << rule->id << ": " << reaction.text();
            }
        }
        EXPECT_TRUE(!suppresses || recipient.contains(rule->klass)) << rule->id;
    }
}

} // namespace
} // namespace penguin::policy
