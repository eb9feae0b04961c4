#include "control/ctl/verb.h"

namespace penguin::control::ctl {

std::vector<Verb> suppression_verbs()
{
    return {
        {.resource = "suppressions",
         .name = "create",
         .help = "Put an address on the tenant's suppression list",
         .method = "POST",
         .path = "/v1/suppressions",
         .params = {needed("address", "whom nothing shall be sent to"), field("reason", "why")},
         .view = {.fields = {{"address", "address"}, {"reason", "reason"}, {"created", "created_at"}},
                  .rows = {},
                  .columns = {}},
         .repeatable = true},
        {.resource = "suppressions",
         .name = "list",
         .help = "The tenant's suppressed addresses",
         .method = "GET",
         .path = "/v1/suppressions",
         .params = {},
         .view = {.fields = {},
                  .rows = "data",
                  .columns = {{"ADDRESS", "address"}, {"CREATED", "created_at"}, {"REASON", "reason"}}},
         .paged = true},
        {.resource = "suppressions",
         .name = "delete",
         .help = "Take an address off the tenant's list",
         .method = "DELETE",
         .path = "/v1/suppressions/{address}",
         .params = {argument("address", "as it stands on the list")},
         .view = {},
         .done = "taken off"},
    };
}

} // namespace penguin::control::ctl
