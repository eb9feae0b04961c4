#include "engine/policy/rule_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/policy/verdict.h"

namespace penguin::policy {
namespace {

using namespace std::chrono_literals;
using smtp::Outcome;
using smtp::Phase;
using smtp::Reply;
using testing::ElementsAre;
using testing::HasSubstr;
using Kind = Verdict::Kind;

RuleFile file_of(std::string_view text) { return parse_rule_file(text, "r.toml").value(); }
std::shared_ptr<const RuleBook> book_of(std::string_view text)
{
    return RuleBook::make(file_of(text), "r.toml").value();
}

std::vector<std::string> ids(const std::vector<RulePtr>& rules)
{
    std::vector<std::string> out;
    for (const RulePtr& rule : rules) out.push_back(rule->id);
    return out;
}

constexpr std::string_view kBook = R"(
[[provider]]
name = "acme"
mx = ["acme.example", "b.acme.net"]
[[provider]]
name = "beta"
mx = ["beta.acme.example"]

[[rule]]
id = "any-slow"
says = ['slow', 'down']
class = "rate_limited"
[[rule]]
id = "acme-slow"
provider = ["acme", "beta"]
says = 'slow'
class = "greylisted"
wait = "10m"
[[rule]]
id = "acme-slower"
provider = "acme"
codes = [421]
says = 'slow'
class = "spam_content"
[[rule]]
id = "acme-blocked"
provider = "acme"
codes = ["4xx", "5xx"]
says = 'blocked'
class = "blocklisted"
kind = "bounce"
[[rule]]
id = "acme-later"
provider = "acme"
codes = [554]
says = 'later'
class = "recipient_rate"
kind = "retry"
life = "1d"
[[rule]]
id = "acme-gone"
provider = "acme"
phases = ["rcpt", "body"]
codes = ["4xx", "5xx"]
says = 'gone'
class = "mailbox_disabled"
suppress = true
)";

TEST(RuleBook, AsksTheProvidersRulesFirstThenInOrder)
{
    const auto book = book_of(kBook);
    const NormalReply slow = normalised(Reply::make(421, {"Slow", "down"}));
    EXPECT_THAT(ids(book->all("acme", Phase::mail, slow)), ElementsAre("acme-slow", "acme-slower", "any-slow"));
    EXPECT_THAT(ids(book->all("beta", Phase::mail, slow)), ElementsAre("acme-slow", "any-slow"));
    EXPECT_THAT(ids(book->all("", Phase::mail, slow)), ElementsAre("any-slow"));
    EXPECT_EQ(book->find("acme", Phase::mail, slow)->id, "acme-slow");
    EXPECT_EQ(book->find("", Phase::mail, normalised(Reply::make(421, {"slow"}))), nullptr); // all of the patterns
}

TEST(RuleBook, TheLongestMxNameTellsTheProvider)
{
    const auto book = book_of(kBook);
    EXPECT_EQ(book->provider_of("mx.acme.example"), "acme");
    EXPECT_EQ(book->provider_of("mx.beta.acme.example"), "beta");
    EXPECT_EQ(book->provider_of("acme.net"), "");
    EXPECT_EQ(book->provider("beta")->mx, (std::vector<std::string>{"beta.acme.example"}));
    EXPECT_EQ(book->provider("gamma"), nullptr);
}

TEST(RuleBook, SaysWhatDoesNotGoTogether)
{
    const auto made = RuleBook::make(file_of(R"(
[[provider]]
name = "acme"
mx = "a.example"
[[provider]]
name = "acme"
mx = "a.example"
[[rule]]
id = "r"
codes = [550]
class = "spam_content"
provider = "gamma"
[[rule]]
id = "r"
codes = [550]
class = "spam_content"
)"),
                                     "r.toml");
    ASSERT_FALSE(made);
    std::vector<std::string> problems;
    for (const RuleProblem& problem : made.error()) problems.push_back(text_of(problem));
    EXPECT_THAT(problems, ElementsAre("r.toml: acme: name: is given twice",
                                      R"(r.toml: acme: mx: "a.example" belongs to acme already)",
                                      R"(r.toml: r: provider: nobody knows "gamma")", "r.toml: r: id: is given twice"));
}

Verdict verdict_of(const RuleBook& book, Phase phase, int code, std::string text, std::string_view provider = "acme")
{
    return decide(Outcome::answered(phase, Reply::make(code, {std::move(text)})), book, provider);
}

TEST(VerdictByRule, TakesClassKindAndWaitOfTheRule)
{
    const auto book = book_of(kBook);
    const Verdict slow = verdict_of(*book, Phase::rcpt, 450, "slow");
    EXPECT_EQ(slow.kind, Kind::retry);
    EXPECT_EQ(slow.klass, BounceClass::greylisted);
    EXPECT_EQ(slow.rule, "acme-slow");
    EXPECT_EQ(slow.wait, 10min);
    EXPECT_EQ(slow.matched->id, "acme-slow");
    EXPECT_EQ(verdict_of(*book, Phase::body, 450, "blocked").kind, Kind::bounce);
    const Verdict later = verdict_of(*book, Phase::body, 554, "later");
    EXPECT_EQ(later.kind, Kind::retry);
    EXPECT_EQ(later.life, 24h);
}

TEST(VerdictByRule, WithoutAKindTheCodeDecides)
{
    const auto book = book_of(kBook);
    EXPECT_EQ(verdict_of(*book, Phase::rcpt, 550, "slow").kind, Kind::bounce);
    const Verdict gone = verdict_of(*book, Phase::rcpt, 550, "gone");
    EXPECT_TRUE(gone.kind == Kind::bounce && gone.suppress);
    const Verdict soon = verdict_of(*book, Phase::rcpt, 450, "gone");
    EXPECT_TRUE(soon.kind == Kind::retry && !soon.suppress);
}

TEST(VerdictByRule, WaitsForTheLongerOfRuleAndHint)
{
    const auto book = book_of(kBook);
    EXPECT_EQ(verdict_of(*book, Phase::rcpt, 450, "slow, come back in 15 minutes").wait, 15min);
    EXPECT_EQ(verdict_of(*book, Phase::rcpt, 450, "slow, come back in 60 seconds").wait, 10min);
}

// 5xx in the banner: about the source. The message has another host, another source, another day.
TEST(VerdictByRule, NeverBouncesBeforeMail)
{
    const auto book = book_of(kBook);
    for (const Phase phase : {Phase::greeting, Phase::tls, Phase::ehlo}) {
        const Verdict verdict = verdict_of(*book, phase, 554, "blocked");
        EXPECT_EQ(verdict.kind, Kind::retry);
        EXPECT_EQ(verdict.klass, BounceClass::blocklisted);
        EXPECT_EQ(verdict.rule, "acme-blocked");
    }
}

TEST(VerdictByRule, IsAskedOfRefusalsOnly)
{
    const auto book = book_of(kBook);
    for (const Outcome& outcome : {Outcome::answered(Phase::body, Reply::make(250, {"slow"})),
                                   Outcome::answered(Phase::body, Reply::make(354, {"slow"})),
                                   Outcome::lost(Phase::body, {Errc::closed, "slow"}, true),
                                   Outcome::lost(Phase::connect, {Errc::timeout, "slow"}),
                                   Outcome::not_tried(Phase::mail, {Errc::closed, "slow"})}) {
        EXPECT_FALSE(rules_apply(outcome));
        EXPECT_EQ(decide(outcome, *book, "acme"), decide(outcome));
    }
}

// The book may be swapped while a verdict is on its way into an event.
TEST(VerdictByRule, OutlivesItsBook)
{
    auto book = book_of(kBook);
    const Verdict verdict = verdict_of(*book, Phase::rcpt, 450, "slow");
    book.reset();
    EXPECT_EQ(verdict.rule, "acme-slow");
}

TEST(RulesOver, ReplaceInPlaceComeFirstOrGo)
{
    const auto whole = put_over(file_of(kBook), file_of(R"(
[[provider]]
name = "beta"
mx = ["beta.net"]
[[rule]]
id = "acme-slow"
provider = "acme"
says = 'slow'
class = "server_busy"
[[rule]]
id = "own"
provider = "acme"
says = 'down'
class = "policy_refused"
[[rule]]
id = "acme-gone"
off = true
)"),
                                "own.toml");
    ASSERT_TRUE(whole) << text_of(whole.error().front());
    const auto book = RuleBook::make(*whole, "own.toml").value();
    EXPECT_THAT(ids(book->rules()),
                ElementsAre("own", "any-slow", "acme-slow", "acme-slower", "acme-blocked", "acme-later"));
    EXPECT_EQ(book->rules()[2]->klass, BounceClass::server_busy);
    EXPECT_EQ(book->provider_of("mx.beta.net"), "beta");
    EXPECT_EQ(book->provider_of("mx.beta.acme.example"), "acme");
}

TEST(RulesOver, OffNeedsARule)
{
    const auto whole = put_over(file_of(kBook), file_of("[[rule]]\nid = 'x'\noff = true\n"), "own.toml");
    ASSERT_FALSE(whole);
    EXPECT_EQ(text_of(whole.error().front()), "own.toml: x: off: there is no such rule");
}

TEST(RulesOver, TheShippedOnes)
{
    const auto book = rules_over_shipped(
        "[[rule]]\nid = 'own'\nprovider = 'gmail'\nsays = 'x'\nclass = 'spam_content'\n", "own.toml");
    ASSERT_TRUE(book) << text_of(book.error().front());
    EXPECT_EQ((*book)->rules().size(), shipped_rules()->rules().size() + 1);
    EXPECT_FALSE(rules_over_shipped("[[rule]]\n", "own.toml"));
    EXPECT_FALSE(rules_over_shipped("[[rule]]\nid = 'x'\noff = true\n", "own.toml"));
    EXPECT_FALSE(rules_over_shipped("[[provider]]\nname = 'x'\nmx = 'google.com'\n", "own.toml"));
}

TEST(RulesOver, EachLayerMarksWhatIsItsOwn)
{
    const auto file = layer_over(shipped_rule_file(), "[[rule]]\nid = 'own'\nsays = 'x'\nclass = 'spam_content'\n",
                                 "own.toml", RuleOrigin::file);
    ASSERT_TRUE(file) << text_of(file.error().front());
    const auto whole =
        layer_over(*file,
                   "[[provider]]\nname = 'gmail'\nmx = 'google.com'\n"
                   "[[rule]]\nid = 'gmail-4.7.28'\nprovider = 'gmail'\nsays = 'y'\nclass = 'greylisted'\n",
                   "stored", RuleOrigin::stored);
    ASSERT_TRUE(whole) << text_of(whole.error().front());
    std::map<std::string, RuleOrigin> origins;
    for (const ReplyRule& rule : whole->rules) origins[rule.id] = rule.origin;
    EXPECT_EQ(origins.at("own"), RuleOrigin::file);
    EXPECT_EQ(origins.at("gmail-4.7.28"), RuleOrigin::stored);
    EXPECT_EQ(origins.at("gmail-4.7.28-ip"), RuleOrigin::shipped);
    for (const Provider& provider : whole->providers)
        EXPECT_EQ(provider.origin, provider.name == "gmail" ? RuleOrigin::stored : RuleOrigin::shipped);
    EXPECT_FALSE(layer_over(*whole, "[[rule]]\nid = 'x'\noff = true\n", "stored", RuleOrigin::stored));
    EXPECT_EQ(shipped_rules_digest().size(), 12U);
}

// Whatever a server writes, the patterns of the whole shipped book are matched in bounded memory.
TEST(RuleBook, MatchesLongAndStrangeTexts)
{
    std::string text;
    for (int i = 0; i < 500; ++i) text += "\xFF unusual rate [tss04 (s31 aup#12 bl00000 your ip";
    NormalReply reply{.code = 421, .enhanced = {{4, 7, 28}}, .text = text};
    EXPECT_EQ(shipped_rules()->find("gmail", Phase::mail, reply)->id, "gmail-4.7.28");
    reply.text += " address";
    EXPECT_EQ(shipped_rules()->find("gmail", Phase::mail, reply)->id, "gmail-4.7.28-ip");
}

} // namespace
} // namespace penguin::policy
