#include "control/ctl/verb.h"

namespace penguin::control::ctl {

namespace {

View pool_view()
{
    return {.fields = {{"name", "name"}, {"description", "description"}, {"created", "created_at"}},
            .rows = {},
            .columns = {}};
}

Param pool() { return argument("pool", "the pool's name"); }

} // namespace

std::vector<Verb> pool_verbs()
{
    return {
        {.resource = "pools",
         .name = "create",
         .help = "Make a pool",
         .method = "POST",
         .path = "/v1/pools",
         .params = {needed("name", "small letters, digits and -, at most 32"), field("description", "what it is for")},
         .view = pool_view()},
        {.resource = "pools",
         .name = "list",
         .help = "Pools by name",
         .method = "GET",
         .path = "/v1/pools",
         .params = {},
         .view = {.fields = {},
                  .rows = "data",
                  .columns = {{"NAME", "name"}, {"CREATED", "created_at"}, {"DESCRIPTION", "description"}}},
         .paged = true},
        {.resource = "pools",
         .name = "get",
         .help = "One pool",
         .method = "GET",
         .path = "/v1/pools/{pool}",
         .params = {pool()},
         .view = pool_view()},
        {.resource = "pools",
         .name = "delete",
         .help = "Delete a pool that no source and no tenant uses",
         .method = "DELETE",
         .path = "/v1/pools/{pool}",
         .params = {pool()},
         .view = {},
         .done = "deleted"},
    };
}

} // namespace penguin::control::ctl
