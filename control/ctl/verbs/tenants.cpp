#include "control/ctl/verb.h"

namespace penguin::control::ctl {

namespace {

View tenant_view()
{
    return {.fields = {{"id", "id"},
                       {"name", "name"},
                       {"weight", "weight"},
                       {"pool", "pool"},
                       {"suspended", "suspended"},
                       {"rate", "rate"},
                       {"monthly quota", "monthly_quota"},
                       {"used this month", "usage.used"},
                       {"held by", "usage.holds.limit"},
                       {"until", "usage.holds.until"},
                       {"version", "version"},
                       {"created", "created_at"}},
            .rows = {},
            .columns = {}};
}

Param tenant() { return argument("tenant", "the tenant's id"); }
Param weight() { return field("weight", "share of the fleet against other tenants, 0.01 to 1000", Kind::number); }
Param pool() { return field("pool", "whose addresses carry its mail"); }
Param suspended() { return field("suspended", "its mail stays queued and nothing new is accepted", Kind::flag); }

Param rate() { return field("rate", "most messages in all: 10/second, 600/minute, 500/hour, or unlimited"); }
Param monthly_quota()
{
    return field("monthly_quota", "messages of a month (UTC) that end delivered or bounced; -1: unlimited",
                 Kind::whole);
}

} // namespace

std::vector<Verb> tenant_verbs()
{
    return {
        {.resource = "tenants",
         .name = "create",
         .help = "Make a tenant",
         .method = "POST",
         .path = "/v1/tenants",
         .params = {needed("name", "what people call it"), field("id", "the platform's own id for it (a UUID)"),
                    weight(), pool(), suspended(), rate(), monthly_quota()},
         .view = tenant_view()},
        {.resource = "tenants",
         .name = "list",
         .help = "Tenants, newest first",
         .method = "GET",
         .path = "/v1/tenants",
         .params = {},
         .view = {.fields = {},
                  .rows = "data",
                  .columns = {{"ID", "id"},
                              {"NAME", "name"},
                              {"WEIGHT", "weight"},
                              {"POOL", "pool"},
                              {"SUSPENDED", "suspended"},
                              {"CREATED", "created_at"}}},
         .paged = true},
        {.resource = "tenants",
         .name = "get",
         .help = "One tenant",
         .method = "GET",
         .path = "/v1/tenants/{tenant}",
         .params = {tenant()},
         .view = tenant_view()},
        {.resource = "tenants",
         .name = "update",
         .help = "Change a tenant",
         .method = "PATCH",
         .path = "/v1/tenants/{tenant}",
         .params = {tenant(), field("name", "what people call it"), weight(), pool(), suspended(), rate(),
                    monthly_quota(),
                    Param{.name = "If-Match",
                          .place = Place::if_match,
                          .help = "only while its version is still this one",
                          .choices = {}}},
         .view = tenant_view()},
        {.resource = "tenants",
         .name = "delete",
         .help = "Delete a tenant without unfinished batches, with its keys, domains and suppressions",
         .method = "DELETE",
         .path = "/v1/tenants/{tenant}",
         .params = {tenant()},
         .view = {},
         .done = "deleted"},
    };
}

} // namespace penguin::control::ctl
