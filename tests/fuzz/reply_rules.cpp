// A server's words against all shipped rules: a bounded text without addresses; the rule that is found fits; what it decides is what
// its phase allows. The first three octets give phase, code and provider, the rest is the reply's lines; or all of it as people paste it.
#include <chrono>

#include "engine/policy/rule_trial.h"
#include "tests/fuzz/check.h"

using namespace penguin;
using fuzz::check;
using Kind = policy::Verdict::Kind;

namespace {

smtp::Reply reply_of(int code, std::string_view text)
{
    std::vector<std::string> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        lines.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(text.size(), end + 1));
    }
    return smtp::Reply::make(code, std::move(lines));
}

void check_text(const smtp::Reply& reply, const policy::NormalReply& normal)
{
    // The longest placeholder for the shortest text: "{address}" for "@".
    check(normal.text.size() <= 9 * policy::kReplyTextMax && normal.enhanced.size() <= policy::kEnhancedMax);
    check(!normal.text.contains('@'));
    for (const char c : normal.text) check(c >= ' ' || static_cast<unsigned char>(c) >= 0x80);
    check(normal.code == reply.code);
}

void check_pasted(const policy::RuleBook& book, std::string_view provider, smtp::Phase phase, std::string_view text)
{
    const Result<smtp::Reply> reply = policy::parse_pasted_reply(text);
    if (!reply) return;
    check(reply->code >= 400 && reply->code < 600 && !reply->lines.empty());
    const policy::TriedReply tried = policy::try_reply(book, provider, phase, *reply);
    check_text(*reply, tried.read_as);
    check(policy::decided_by_codes(tried.verdict.rule) == tried.fitting.empty());
    if (!tried.fitting.empty()) check(tried.verdict.matched == tried.fitting.front());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < 3) return 0;
    const policy::RuleBook& book = *policy::shipped_rules();
    constexpr smtp::Phase kPhases[] = {smtp::Phase::greeting, smtp::Phase::ehlo, smtp::Phase::tls, smtp::Phase::mail,
                                       smtp::Phase::rcpt,     smtp::Phase::data, smtp::Phase::body};
    const smtp::Phase phase = kPhases[data[0] % std::size(kPhases)];
    const int code = 400 + data[1] % 200;
    const std::string_view provider = book.providers()[data[2] % book.providers().size()].name;
    check_pasted(book, provider, phase, {reinterpret_cast<const char*>(data) + 3, size - 3});
    const smtp::Reply reply = reply_of(code, {reinterpret_cast<const char*>(data) + 3, size - 3});
    const policy::NormalReply normal = policy::normalised(reply);
    check_text(reply, normal);

    const std::vector<policy::RulePtr> fitting = book.all(provider, phase, normal);
    for (const policy::RulePtr& rule : fitting) check(rule->fits(phase, code, normal.enhanced));
    const auto outcome = smtp::Outcome::answered(phase, reply);
    const policy::Verdict verdict = policy::decide(outcome, book, provider);
    if (fitting.empty()) {
        check(verdict == policy::decide(outcome));
        return 0;
    }
    check(verdict.matched == fitting.front() && verdict.rule == fitting.front()->id);
    check(verdict.kind == Kind::retry || (verdict.kind == Kind::bounce && phase >= smtp::Phase::mail));
    if (verdict.suppress) check(verdict.kind == Kind::bounce && phase >= smtp::Phase::rcpt);
    if (verdict.wait) check(verdict.kind == Kind::retry && *verdict.wait <= std::chrono::hours{7 * 24});
    return 0;
}
