#include "control/ctl/verb.h"

namespace penguin::control::ctl {

namespace {

Verb look(std::string_view name, std::string_view help, std::vector<Column> fields)
{
    return {.resource = "messages",
            .name = name,
            .help = help,
            .method = "GET",
            .path = "/v1/messages/{message}",
            .params = {argument("message", "<batch id>.<index>")},
            .view = {.fields = std::move(fields),
                     .rows = "events",
                     .columns = {{"AT", "at"},
                                 {"KIND", "kind"},
                                 {"ATTEMPT", "attempt"},
                                 {"CLASS", "class"},
                                 {"PHASE", "phase"},
                                 {"SOURCE", "source"},
                                 {"REMOTE", "remote"},
                                 {"NEXT ATTEMPT", "next_attempt_at"},
                                 {"REPLY", "reply"}}}};
}

} // namespace

std::vector<Verb> message_verbs()
{
    return {
        look("get", "One message, its state and its events",
             {{"id", "id"}, {"batch", "batch_id"}, {"recipient", "recipient"}, {"state", "state"}}),
        look("events", "What happened to one message, oldest first", {}),
    };
}

} // namespace penguin::control::ctl
