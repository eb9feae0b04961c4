#include "control/ctl/verb.h"

namespace penguin::control::ctl {

namespace {

View source_view()
{
    return {.fields = {{"id", "id"},
                       {"address", "address"},
                       {"EHLO name", "ehlo_name"},
                       {"pool", "pool"},
                       {"node", "node"},
                       {"created", "created_at"}},
            .rows = {},
            .columns = {}};
}

Param source() { return argument("source", "the source's id"); }

} // namespace

std::vector<Verb> source_verbs()
{
    return {
        {.resource = "sources",
         .name = "create",
         .help = "Make a source: one egress address of one node",
         .method = "POST",
         .path = "/v1/sources",
         .params = {needed("address", "IPv4 or IPv6 address of the node"),
                    needed("ehlo_name", "host name whose address this is; said in EHLO"),
                    needed("pool", "the pool that it belongs to"), needed("node", "the node's name")},
         .view = source_view()},
        {.resource = "sources",
         .name = "list",
         .help = "Sources, newest first",
         .method = "GET",
         .path = "/v1/sources",
         .params = {},
         .view = {.fields = {},
                  .rows = "data",
                  .columns = {{"ID", "id"},
                              {"ADDRESS", "address"},
                              {"EHLO NAME", "ehlo_name"},
                              {"POOL", "pool"},
                              {"NODE", "node"},
                              {"CREATED", "created_at"}}},
         .paged = true},
        {.resource = "sources",
         .name = "get",
         .help = "One source",
         .method = "GET",
         .path = "/v1/sources/{source}",
         .params = {source()},
         .view = source_view()},
        {.resource = "sources",
         .name = "delete",
         .help = "Delete a source; its node stops using it with its next settings",
         .method = "DELETE",
         .path = "/v1/sources/{source}",
         .params = {source()},
         .view = {},
         .done = "deleted"},
    };
}

} // namespace penguin::control::ctl
