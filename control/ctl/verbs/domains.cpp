#include "control/ctl/verb.h"

namespace penguin::control::ctl {

namespace {

std::vector<Column> domain_fields()
{
    return {{"name", "name"},
            {"verified", "verified"},
            {"verified at", "verified_at"},
            {"bounce host", "bounce_host"},
            {"DKIM selectors", "dkim_keys.selector"},
            {"created", "created_at"}};
}

View domain_view()
{
    return {.fields = domain_fields(),
            .rows = "records",
            .columns = {
                {"FOR", "purpose"}, {"REQUIRED", "required"}, {"TYPE", "type"}, {"NAME", "name"}, {"VALUE", "value"}}};
}

Param domain() { return argument("domain", "the domain's name"); }

// One domain, of which `view` shows a part.
Verb look(std::string_view name, std::string_view help, View view)
{
    return {.resource = "domains",
            .name = name,
            .help = help,
            .method = "GET",
            .path = "/v1/domains/{domain}",
            .params = {domain()},
            .view = std::move(view)};
}

} // namespace

std::vector<Verb> domain_verbs()
{
    return {
        {.resource = "domains",
         .name = "create",
         .help = "Make a sending domain and its DKIM keys; shows the DNS records to publish",
         .method = "POST",
         .path = "/v1/domains",
         .params = {needed("name", "the domain's name"), field("ed25519", "also sign with an Ed25519 key", Kind::flag)},
         .view = domain_view()},
        {.resource = "domains",
         .name = "list",
         .help = "The tenant's domains by name",
         .method = "GET",
         .path = "/v1/domains",
         .params = {},
         .view = {.fields = {},
                  .rows = "data",
                  .columns = {{"NAME", "name"},
                              {"VERIFIED", "verified"},
                              {"VERIFIED AT", "verified_at"},
                              {"BOUNCE HOST", "bounce_host"},
                              {"CREATED", "created_at"}}},
         .paged = true},
        look("get", "One domain with the DNS records to publish", domain_view()),
        look("records", "The DNS records to publish, as a zone file has them",
             {.fields = {},
              .rows = "records",
              .columns = {{"NAME", "name"}, {"TYPE", "type"}, {"PRESENTATION", "presentation"}}}),
        look("keys", "The DKIM keys that sign its mail",
             {.fields = {}, .rows = "dkim_keys", .columns = {{"SELECTOR", "selector"}, {"ALGORITHM", "algorithm"}}}),
        {.resource = "domains",
         .name = "verify",
         .help = "Look the records up in the DNS now",
         .method = "POST",
         .path = "/v1/domains/{domain}/verify",
         .params = {domain()},
         .view = {.fields = {{"name", "name"}, {"verified", "verified"}},
                  .rows = "records",
                  .columns = {{"FOR", "purpose"},
                              {"STATUS", "status"},
                              {"REQUIRED", "required"},
                              {"TYPE", "type"},
                              {"NAME", "name"},
                              {"DETAIL", "detail"}}},
         .repeatable = true},
        {.resource = "domains",
         .name = "delete",
         .help = "Delete a domain",
         .method = "DELETE",
         .path = "/v1/domains/{domain}",
         .params = {domain()},
         .view = {},
         .done = "deleted"},
    };
}

} // namespace penguin::control::ctl
