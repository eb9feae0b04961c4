#include "control/ctl/verb.h"

namespace penguin::control::ctl {

std::vector<Verb> event_verbs()
{
    return {
        {.resource = "events",
         .name = "list",
         .help = "Events of the tenant, newest first",
         .method = "GET",
         .path = "/v1/events",
         .params = {filter("kind", "of this kind only",
                           {"delivered", "deferred", "bounced", "expired", "suppressed", "cancelled"}),
                    filter("batch", "of this batch only"), filter("since", "at or after this time (RFC 3339)")},
         .view = {.fields = {},
                  .rows = "data",
                  .columns = {{"AT", "at"},
                              {"KIND", "kind"},
                              {"MESSAGE", "message_id"},
                              {"RECIPIENT", "recipient"},
                              {"ATTEMPT", "attempt"},
                              {"CLASS", "class"},
                              {"SITE", "site"},
                              {"REPLY", "reply"}}},
         .paged = true},
    };
}

} // namespace penguin::control::ctl
