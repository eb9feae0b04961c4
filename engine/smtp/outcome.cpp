#include "engine/smtp/outcome.h"

namespace penguin::smtp {

std::string_view name_of(Phase phase)
{
    switch (phase) {
    case Phase::resolve: return "resolve";
    case Phase::connect: return "connect";
    case Phase::tls: return "tls";
    case Phase::greeting: return "greeting";
    case Phase::ehlo: return "ehlo";
    case Phase::mail: return "mail";
    case Phase::rcpt: return "rcpt";
    case Phase::data: return "data";
    case Phase::body: return "body";
    case Phase::reset: return "reset";
    case Phase::quit: return "quit";
    case Phase::done: return "done";
    }
    return "unknown";
}

Outcome Outcome::answered(Phase phase, Reply reply)
{
    Outcome outcome;
    outcome.kind = Kind::answered;
    outcome.phase = phase;
    outcome.reply = std::move(reply);
    return outcome;
}

Outcome Outcome::lost(Phase phase, Error why, bool may_be_duplicate)
{
    Outcome outcome;
    outcome.kind = Kind::lost;
    outcome.phase = phase;
    outcome.error = std::move(why);
    outcome.may_be_duplicate = may_be_duplicate;
    return outcome;
}

Outcome Outcome::not_tried(Phase phase, Error why)
{
    Outcome outcome;
    outcome.kind = Kind::not_tried;
    outcome.phase = phase;
    outcome.error = std::move(why);
    return outcome;
}

} // namespace penguin::smtp
