// Dialogues of the client's side: what it writes, and what becomes of each recipient.
#include "engine/smtp/transaction.h"

#include <algorithm>
#include <deque>
#include <string>

#include <gtest/gtest.h>

namespace penguin::smtp {
namespace {

using Step = Transaction::Step;
using Kind = Outcome::Kind;

Envelope envelope_to(std::size_t recipients, const char* sender = "from@s.example")
{
    Envelope envelope;
    if (*sender != '\0') envelope.sender = *EmailAddress::parse(sender);
    for (std::size_t i = 0; i < recipients; ++i)
        envelope.recipients.push_back(*EmailAddress::parse("r" + std::to_string(i) + "@d.example"));
    return envelope;
}

Capabilities plain()
{
    Capabilities offered;
    offered.esmtp = true;
    return offered;
}

Capabilities pipelined()
{
    Capabilities offered = plain();
    offered.pipelining = true;
    return offered;
}

// Plays a server that gives the replies of a script in order. Says what was written: commands, and "<body>".
struct Play {
    explicit Play(Transaction& transaction) : tx{transaction} {}

    // Stops when the script is used up and one more reply is awaited.
    void run(std::deque<int> script)
    {
        while (tx.step() != Step::done) {
            switch (tx.step()) {
            case Step::write_commands:
                written += tx.commands();
                tx.commands_written();
                break;
            case Step::write_body:
                written += "<body>\r\n";
                tx.body_written();
                break;
            case Step::hear:
                if (script.empty()) return;
                tx.on_reply(Reply::make(script.front(), {"x"}));
                script.pop_front();
                break;
            case Step::done: return;
            }
        }
        EXPECT_TRUE(script.empty()) << "the transaction ended early";
    }

    Transaction& tx;
    std::string written;
};

// "body 250, rcpt 550, lost data, not_tried mail, lost body (duplicate)"
std::string said(const std::vector<Outcome>& outcomes)
{
    std::string out;
    for (const Outcome& outcome : outcomes) {
        if (!out.empty()) out += ", ";
        if (outcome.kind == Kind::lost) out += "lost ";
        if (outcome.kind == Kind::not_tried) out += "not_tried ";
        out += name_of(outcome.phase);
        if (outcome.reply) out += " " + std::to_string(outcome.reply->code);
        if (outcome.may_be_duplicate) out += " (duplicate)";
    }
    return out;
}

struct DialogueCase {
    const char* name;
    std::size_t recipients;
    bool pipelining;
    std::deque<int> replies;
    const char* outcomes;
    bool reusable;
    const char* ends_with; // of what was written
};

const DialogueCase kDialogues[] = {
    {"Accepted", 1, false, {250, 250, 354, 250}, "body 250", true, "DATA\r\n<body>\r\n"},
    {"AcceptedPipelined", 1, true, {250, 250, 354, 250}, "body 250", true, "DATA\r\n<body>\r\n"},
    {"ForwardedRecipientsCount", 2, true, {250, 251, 252, 354, 250}, "body 250, body 250", true, "<body>\r\n"},
    {"MailRefused", 2, false, {550}, "mail 550, mail 550", true, "MAIL FROM:<from@s.example>\r\n"},
    {"MailRefusedPipelined", 2, true, {550, 503, 503, 503}, "mail 550, mail 550", true, "DATA\r\n"},
    {"MailRefusedAndYet354", 1, true, {450, 503, 354}, "mail 450", false, "DATA\r\n"},
    {"MailRefusedAndYetAllElseTaken", 1, true, {450, 250, 354}, "mail 450", false, "DATA\r\n"},
    {"OneRecipientRefused", 2, false, {250, 550, 250, 354, 250}, "rcpt 550, body 250", true, "<body>\r\n"},
    {"OneRecipientRefusedPipelined", 2, true, {250, 550, 250, 354, 250}, "rcpt 550, body 250", true, "<body>\r\n"},
    {"AllRefused", 2, false, {250, 550, 450, 250}, "rcpt 550, rcpt 450", true, "RSET\r\n"},
    {"AllRefusedPipelined", 2, true, {250, 550, 450, 503, 250}, "rcpt 550, rcpt 450", true, "DATA\r\nRSET\r\n"},
    {"AllRefusedAndYet354", 2, true, {250, 550, 550, 354, 554}, "rcpt 550, rcpt 550", true, "DATA\r\n.\r\n"},
    {"LoneDotEvenTaken", 1, true, {250, 550, 354, 250}, "rcpt 550", true, "DATA\r\n.\r\n"},
    {"DataRefused", 2, true, {250, 250, 550, 451, 250}, "data 451, rcpt 550", true, "RSET\r\n"},
    {"DataRefusedStepwise", 1, false, {250, 250, 554, 250}, "data 554", true, "DATA\r\nRSET\r\n"},
    {"BodyRefused", 2, true, {250, 250, 550, 354, 552}, "body 552, rcpt 550", true, "<body>\r\n"},
    {"BodyDeferred", 1, false, {250, 250, 354, 451}, "body 451", true, "<body>\r\n"},
    {"ClosingAtMail", 2, true, {421}, "mail 421, mail 421", false, "DATA\r\n"},
    {"ClosingAtRcptPipelined", 3, true, {250, 250, 421}, "rcpt 421, rcpt 421, rcpt 421", false, "DATA\r\n"},
    {"ClosingKeepsWhatWasDecided", 3, true, {250, 550, 421}, "rcpt 550, rcpt 421, rcpt 421", false, "DATA\r\n"},
    {"ClosingAtRcpt", 2, false, {250, 250, 421}, "rcpt 421, rcpt 421", false, "RCPT TO:<r1@d.example>\r\n"},
    {"ClosingAtData", 1, true, {250, 250, 421}, "data 421", false, "DATA\r\n"},
    {"ClosingAtTheFinalDot", 1, true, {250, 250, 354, 421}, "body 421", false, "<body>\r\n"},
    {"ClosingAtReset", 1, false, {250, 550, 421}, "rcpt 550", false, "RSET\r\n"},
    {"ResetRefused", 1, false, {250, 550, 500}, "rcpt 550", false, "RSET\r\n"},
    {"LieAtMail", 1, true, {354}, "lost mail", false, "DATA\r\n"},
    {"LieAtRcpt", 2, true, {250, 354}, "lost rcpt, lost rcpt", false, "DATA\r\n"},
    {"LieAtData", 1, true, {250, 250, 250}, "lost data", false, "DATA\r\n"},
    {"LieAtDataStepwise", 1, false, {250, 250, 250}, "lost data", false, "DATA\r\n"},
    {"LieAtTheFinalDot", 1, true, {250, 250, 354, 354}, "lost body (duplicate)", false, "<body>\r\n"},
};

class TransactionDialogue : public testing::TestWithParam<DialogueCase> {};

TEST_P(TransactionDialogue, EachRecipientGetsItsOutcome)
{
    const DialogueCase& row = GetParam();
    const Envelope envelope = envelope_to(row.recipients);
    const Body body = *Body::check("a\r\n");
    Transaction tx{envelope, row.pipelining ? pipelined() : plain(), body};
    Play play{tx};
    play.run(row.replies);
    ASSERT_EQ(tx.step(), Step::done);
    EXPECT_EQ(said(tx.take_outcomes()), row.outcomes);
    EXPECT_EQ(tx.reusable(), row.reusable);
    EXPECT_TRUE(play.written.ends_with(row.ends_with)) << play.written;
}

INSTANTIATE_TEST_SUITE_P(Rfc5321, TransactionDialogue, testing::ValuesIn(kDialogues),
                         [](const auto& info) { return info.param.name; });

TEST(Transaction, LosingTheConnectionAtAnyStepLeavesNoRecipientUndecided)
{
    for (const DialogueCase& row : kDialogues) {
        for (std::size_t heard = 0; heard < row.replies.size(); ++heard) {
            const Envelope envelope = envelope_to(row.recipients);
            const Body body = *Body::check("a\r\n");
            Transaction tx{envelope, row.pipelining ? pipelined() : plain(), body};
            Play play{tx};
            play.run({row.replies.begin(), row.replies.begin() + static_cast<std::ptrdiff_t>(heard)});
            ASSERT_NE(tx.step(), Step::done) << row.name << " after " << heard;
            tx.on_lost(Error{Errc::closed, "cut"});
            ASSERT_EQ(tx.step(), Step::done);
            EXPECT_FALSE(tx.reusable());
            const bool body_out = play.written.ends_with("<body>\r\n");
            for (const Outcome& outcome : tx.take_outcomes()) {
                if (outcome.kind != Kind::lost) continue;
                EXPECT_EQ(outcome.may_be_duplicate, body_out) << row.name << " after " << heard;
                EXPECT_EQ(outcome.error->code, Errc::closed);
            }
        }
    }
}

TEST(Transaction, LosingItBeforeTheBodyIsOutIsNoDuplicate)
{
    const Envelope envelope = envelope_to(1);
    const Body body = *Body::check("a\r\n");
    Transaction tx{envelope, pipelined(), body};
    Play play{tx};
    tx.commands_written();
    for (const int code : {250, 250, 354}) tx.on_reply(Reply::make(code, {"x"}));
    ASSERT_EQ(tx.step(), Step::write_body);
    tx.on_lost(Error{Errc::timeout, "stuck"});
    EXPECT_EQ(said(tx.take_outcomes()), "lost body");
}

TEST(Transaction, SaysMailRcptAndDataInOneFlight)
{
    const Envelope envelope = envelope_to(2);
    const Body body = *Body::check("a\r\n");
    const Transaction tx{envelope, pipelined(), body};
    EXPECT_EQ(tx.commands(),
              "MAIL FROM:<from@s.example>\r\nRCPT TO:<r0@d.example>\r\nRCPT TO:<r1@d.example>\r\nDATA\r\n");
}

TEST(Transaction, SaysOneCommandAtATimeWithoutPipelining)
{
    const Envelope envelope = envelope_to(1, "");
    const Body body = *Body::check("a\r\n");
    Transaction tx{envelope, plain(), body};
    EXPECT_EQ(tx.commands(), "MAIL FROM:<>\r\n");
    EXPECT_EQ(tx.phase(), Phase::mail);
    tx.commands_written();
    tx.on_reply(Reply::make(250, {"x"}));
    EXPECT_EQ(tx.commands(), "RCPT TO:<r0@d.example>\r\n");
    EXPECT_EQ(tx.phase(), Phase::rcpt);
    tx.commands_written();
    tx.on_reply(Reply::make(250, {"x"}));
    EXPECT_EQ(tx.commands(), "DATA\r\n");
    EXPECT_EQ(tx.phase(), Phase::data);
}

TEST(Transaction, BoundsWhatIsInFlight)
{
    const Envelope envelope = envelope_to(3 * Transaction::kFlightMax);
    const Body body = *Body::check("a\r\n");
    Transaction tx{envelope, pipelined(), body};
    std::size_t flights = 0;
    while (tx.step() == Step::write_commands) {
        const auto commands = static_cast<std::size_t>(std::ranges::count(tx.commands(), '\n'));
        EXPECT_LE(commands, Transaction::kFlightMax);
        EXPECT_EQ(tx.commands().contains("DATA"), flights == 3);
        ++flights;
        tx.commands_written();
        for (std::size_t i = 0; i < commands; ++i) {
            const bool data = flights == 4 && i + 1 == commands;
            tx.on_reply(Reply::make(data ? 354 : 250, {"x"}));
        }
    }
    EXPECT_EQ(flights, 4U);
    EXPECT_EQ(tx.step(), Step::write_body);
}

TEST(Transaction, StopsBetweenFlightsWhenMailWasRefused)
{
    const Envelope envelope = envelope_to(2 * Transaction::kFlightMax);
    const Body body = *Body::check("a\r\n");
    Transaction tx{envelope, pipelined(), body};
    tx.commands_written();
    tx.on_reply(Reply::make(550, {"x"}));
    for (std::size_t i = 1; i < Transaction::kFlightMax; ++i) tx.on_reply(Reply::make(503, {"x"}));
    EXPECT_EQ(tx.step(), Step::done);
    EXPECT_TRUE(tx.reusable());
}

TEST(Transaction, SaysTheParametersThatAreOfferedAndNeeded)
{
    Capabilities offered = pipelined();
    offered.size = true;
    offered.size_limit = 100;
    offered.eight_bit_mime = true;
    offered.smtputf8 = true;
    const Envelope ascii = envelope_to(1);
    Envelope utf8 = envelope_to(1);
    utf8.recipients.push_back(*EmailAddress::parse("\xC3\xA9@d.example"));
    const Body seven = *Body::check("a\r\n");
    const Body eight = *Body::check("\xC3\xA9\r\n");
    const auto mail = [](const Transaction& tx) { return tx.commands().substr(0, tx.commands().find('\r')); };
    EXPECT_EQ(mail(Transaction{ascii, offered, seven}), "MAIL FROM:<from@s.example> SIZE=3");
    EXPECT_EQ(mail(Transaction{ascii, offered, eight}), "MAIL FROM:<from@s.example> SIZE=4 BODY=8BITMIME");
    EXPECT_EQ(mail(Transaction{utf8, offered, seven}), "MAIL FROM:<from@s.example> SIZE=3 SMTPUTF8");
    EXPECT_EQ(mail(Transaction{ascii, pipelined(), seven}), "MAIL FROM:<from@s.example>");
}

TEST(Transaction, RefusesEarlyWhatTheServerCannotTake)
{
    Capabilities small = pipelined();
    small.size = true;
    small.size_limit = 2;
    const Envelope ascii = envelope_to(2);
    const Body seven = *Body::check("a\r\n");
    const Body eight = *Body::check("\xC3\xA9\r\n");
    const Envelope utf8_sender = envelope_to(2, "\xC3\xA9@s.example");

    Transaction too_big{ascii, small, seven};
    ASSERT_EQ(too_big.step(), Step::done);
    EXPECT_TRUE(too_big.reusable());
    const std::vector<Outcome> outcomes = too_big.take_outcomes();
    EXPECT_EQ(said(outcomes), "lost mail, lost mail");
    EXPECT_EQ(outcomes[0].error->code, Errc::too_long);

    Transaction eight_bit{ascii, pipelined(), eight};
    EXPECT_EQ(eight_bit.take_outcomes()[1].error, (Error{Errc::bad_value, "8BITMIME needed"}));
    Transaction sender{utf8_sender, pipelined(), seven};
    EXPECT_EQ(sender.take_outcomes()[0].error->code, Errc::bad_value);
    small.size_limit = 3;
    Transaction fits{ascii, small, seven};
    EXPECT_EQ(fits.step(), Step::write_commands);
}

TEST(Transaction, LeavesOutOnlyTheRecipientsThatNeedSmtputf8)
{
    Envelope envelope = envelope_to(1);
    envelope.recipients.insert(envelope.recipients.begin(), *EmailAddress::parse("\xC3\xA9@d.example"));
    const Body body = *Body::check("a\r\n");
    Transaction tx{envelope, pipelined(), body};
    Play play{tx};
    play.run({250, 250, 354, 250});
    EXPECT_EQ(said(tx.take_outcomes()), "lost mail, body 250");
    EXPECT_FALSE(play.written.contains("\xC3\xA9"));

    envelope.recipients.pop_back();
    Transaction nobody{envelope, pipelined(), body};
    EXPECT_EQ(nobody.step(), Step::done);
    EXPECT_EQ(said(nobody.take_outcomes()), "lost mail");
}

TEST(Transaction, AbandoningCostsNoRecipientItsTurn)
{
    const Envelope envelope = envelope_to(2);
    const Body body = *Body::check("a\r\n");
    Transaction untouched{envelope, pipelined(), body};
    untouched.abandon(Error{Errc::stale, "lease"});
    EXPECT_TRUE(untouched.reusable());
    EXPECT_EQ(said(untouched.take_outcomes()), "not_tried mail, not_tried mail");

    Transaction midway{envelope, pipelined(), body};
    midway.commands_written();
    for (const int code : {250, 550, 250, 354}) midway.on_reply(Reply::make(code, {"x"}));
    midway.abandon(Error{Errc::stale, "lease"});
    EXPECT_FALSE(midway.reusable());
    EXPECT_EQ(said(midway.take_outcomes()), "rcpt 550, not_tried body");
}

TEST(Transaction, AnUnaskedReplyRefusesOrLies)
{
    const Envelope envelope = envelope_to(1);
    const Body body = *Body::check("a\r\n");
    const auto at_body = [&](int code) {
        Transaction tx{envelope, pipelined(), body};
        tx.commands_written();
        for (const int reply : {250, 250, 354}) tx.on_reply(Reply::make(reply, {"x"}));
        tx.on_unasked(Reply::make(code, {"x"}));
        EXPECT_FALSE(tx.reusable());
        return said(tx.take_outcomes());
    };
    EXPECT_EQ(at_body(552), "body 552");
    EXPECT_EQ(at_body(421), "body 421");
    EXPECT_EQ(at_body(250), "lost body"); // an early 250 answers nothing: the message is not there
    Transaction tx{envelope, pipelined(), body};
    tx.on_unasked(Reply::make(250, {"x"}));
    EXPECT_EQ(said(tx.take_outcomes()), "lost mail");
}

} // namespace
} // namespace penguin::smtp
