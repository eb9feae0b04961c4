// A server that says anything, at any time: every recipient has exactly one outcome, a possible duplicate only behind the
// last octet, and the commands hold no line end that we did not put there. The first octets give the envelope and the
// server's extensions; each further one is an event.
#include "engine/smtp/transaction.h"
#include "engine/policy/verdict.h"
#include "tests/fuzz/check.h"

using namespace penguin;
using fuzz::check;
using Step = smtp::Transaction::Step;

namespace {

Envelope envelope_of(std::uint8_t bits)
{
    Envelope envelope;
    if ((bits & 1) != 0) envelope.sender = *EmailAddress::parse("bounce+1@b.example.com");
    envelope.recipients.assign(1U + (bits >> 1) % 120,
                               *EmailAddress::parse((bits & 128) != 0 ? "\u00e4@b.example" : "a@b.example"));
    return envelope;
}

smtp::Capabilities capabilities_of(std::uint8_t bits)
{
    smtp::Capabilities offered;
    offered.esmtp = (bits & 1) != 0;
    offered.pipelining = (bits & 2) != 0;
    offered.eight_bit_mime = (bits & 4) != 0;
    offered.smtputf8 = (bits & 8) != 0;
    offered.size = (bits & 16) != 0;
    if ((bits & 32) != 0) offered.size_limit = 20;
    return offered;
}

smtp::Reply reply_of(std::uint8_t octet)
{
    constexpr int kCodes[] = {200, 220, 221, 250, 251, 252, 299, 300, 334, 354, 399, 400, 421, 450, 451, 452,
                              499, 500, 501, 502, 503, 504, 521, 530, 550, 551, 552, 553, 554, 556, 571, 599};
    constexpr const char* kTexts[] = {"",
                                      "2.1.5 ok",
                                      "5.1.1 no such user",
                                      "4.2.2 full",
                                      "5.7.1 blocked",
                                      "try again in 5 minutes",
                                      "greylisted 300 seconds",
                                      "4.7.0 too many"};
    return smtp::Reply::make(kCodes[octet % std::size(kCodes)], {kTexts[octet / 32]});
}

void check_commands(const smtp::Transaction& transaction)
{
    const std::string& commands = transaction.commands();
    check(commands.ends_with("\r\n") && !commands.contains('\0'));
    std::size_t lines = 0;
    for (std::size_t i = 0; i < commands.size(); ++i) {
        if (commands[i] != '\n') continue;
        check(i > 0 && commands[i - 1] == '\r');
        ++lines;
    }
    check(lines <= smtp::Transaction::kFlightMax + 1); // and a RSET in front
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < 3) return 0;
    const Envelope envelope = envelope_of(data[0]);
    const smtp::Capabilities offered = capabilities_of(data[1]);
    const std::string_view message = (data[2] & 1) != 0 ? "Subject: \xc3\xa4\r\n\r\n.\r\n" : "Subject: a\r\n\r\nb\r\n";
    const smtp::Body body = *smtp::Body::check(message);
    smtp::Transaction transaction{envelope, offered, body};
    if ((data[2] & 2) != 0 && transaction.step() == Step::write_commands) transaction.come_behind_a_body();
    bool body_written = false;
    for (std::size_t i = 3; transaction.step() != Step::done; ++i) {
        check(i < 3 + 64 * envelope.recipients.size() + 2 * size); // it ends, whatever it hears
        const std::uint8_t octet = i < size ? data[i] : std::uint8_t{3};
        static_cast<void>(smtp::name_of(transaction.phase()));
        if (octet == 255) {
            transaction.on_lost(Error{Errc::timeout, "gone"});
        } else if (octet == 254 && !body_written) {
            transaction.abandon(Error{Errc::cancelled, "ours"});
        } else if (transaction.step() == Step::write_commands) {
            check_commands(transaction);
            transaction.commands_written();
        } else if (transaction.step() == Step::write_body) {
            if (octet == 253) {
                transaction.on_unasked(reply_of(data[2]));
                continue;
            }
            body_written = true;
            transaction.body_written();
        } else {
            transaction.on_reply(reply_of(octet));
        }
    }
    const std::vector<smtp::Outcome> outcomes = transaction.take_outcomes();
    check(outcomes.size() == envelope.recipients.size());
    for (const smtp::Outcome& outcome : outcomes) {
        check(!outcome.may_be_duplicate || body_written);
        check((outcome.kind == smtp::Outcome::Kind::answered) == outcome.reply.has_value());
        const policy::Verdict verdict = policy::decide(outcome);
        if (verdict.kind == policy::Verdict::Kind::delivered)
            check(body_written && outcome.reply && outcome.reply->positive() && outcome.phase == smtp::Phase::body);
        // Without a reply only what this server has said that it cannot take.
        if (verdict.kind == policy::Verdict::Kind::bounce)
            check(outcome.reply ? outcome.reply->permanent() : outcome.phase == smtp::Phase::mail && !body_written);
    }
    return 0;
}
