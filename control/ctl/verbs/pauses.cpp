#include "control/ctl/verb.h"

namespace penguin::control::ctl {

std::vector<Verb> pause_verbs()
{
    return {
        {.resource = "pauses",
         .name = "list",
         .help = "What reply rules have stopped, on whichever node, newest first",
         .method = "GET",
         .path = "/v1/pauses",
         .params = {},
         .view = {.fields = {},
                  .rows = "data",
                  .columns = {{"ID", "id"},
                              {"SCOPE", "scope"},
                              {"OF", "subject"},
                              {"AT", "place"},
                              {"RULE", "rule"},
                              {"SINCE", "since"},
                              {"UNTIL", "until"},
                              {"REPLY", "reply"}}},
         .paged = true},
        {.resource = "pauses",
         .name = "resume",
         .help = "Let what is paused go on, on all nodes within 2 seconds; the next such reply pauses it again",
         .method = "POST",
         .path = "/v1/pauses/{pause}/resume",
         .params = {argument("pause", "its id")},
         .view = {.fields = {{"id", "id"},
                             {"scope", "scope"},
                             {"of", "subject"},
                             {"at", "place"},
                             {"rule", "rule"},
                             {"resumed", "resumed_at"}},
                  .rows = {},
                  .columns = {}}},
    };
}

} // namespace penguin::control::ctl
