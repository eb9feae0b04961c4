#include "control/ctl/verb.h"

namespace penguin::control::ctl {

std::vector<Verb> audit_verbs()
{
    return {
        {.resource = "audit",
         .name = "list",
         .help = "Who changed which setting and who was turned away, newest first",
         .method = "GET",
         .path = "/v1/audit",
         .params = {filter("action", "of this action only, as tenant.created or auth.failed"),
                    filter("tenant", "about this tenant only"), filter("since", "at or after this time (RFC 3339)"),
                    filter("until", "before this time (RFC 3339)")},
         .view = {.fields = {},
                  .rows = "data",
                  .columns = {{"SEQ", "seq"},
                              {"TIME", "time"},
                              {"ACTION", "action"},
                              {"ACTOR", "actor"},
                              {"TENANT", "tenant_id"},
                              {"RESOURCE", "resource"},
                              {"PEER", "peer"},
                              {"DETAIL", "detail"}}},
         .paged = true},
    };
}

} // namespace penguin::control::ctl
