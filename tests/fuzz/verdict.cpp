// What a server wrote decides what becomes of a message: always one verdict that its code allows, and a wait that is bounded.
// The first two octets give phase and code, the rest is the text.
#include "engine/policy/verdict.h"
#include "tests/fuzz/check.h"
#include <chrono>

using namespace penguin;
using fuzz::check;
using namespace std::chrono_literals;
using Kind = policy::Verdict::Kind;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < 2) return 0;
    constexpr smtp::Phase kPhases[] = {smtp::Phase::greeting, smtp::Phase::ehlo, smtp::Phase::tls,  smtp::Phase::mail,
                                       smtp::Phase::rcpt,     smtp::Phase::data, smtp::Phase::body, smtp::Phase::reset};
    const smtp::Phase phase = kPhases[data[0] % std::size(kPhases)];
    const int code = 200 + (data[0] / 8 * 256 + data[1]) % 400;
    const std::string text{reinterpret_cast<const char*>(data) + 2, size - 2};
    const smtp::Reply reply = smtp::Reply::make(code, {text});
    if (reply.enhanced) {
        check(reply.enhanced->klass == code / 100 && reply.enhanced->subject <= 999 && reply.enhanced->detail <= 999);
        check(smtp::EnhancedCode::parse(reply.enhanced->text() + " x", code) == reply.enhanced);
    }
    const policy::Verdict verdict = policy::decide(smtp::Outcome::answered(phase, reply));
    if (verdict.kind == Kind::bounce) check(code >= 500);
    if (verdict.kind == Kind::delivered) check(phase == smtp::Phase::body && reply.positive());
    if (verdict.suppress) check(verdict.kind == Kind::bounce);
    check((verdict.klass == policy::BounceClass::none) == (verdict.kind == Kind::delivered));
    for (const std::optional<Duration>& wait : {verdict.wait, policy::hinted_wait(text)})
        if (wait) check(*wait >= 1min && *wait <= 24h);
    return 0;
}
