// A tenant's own keys (api-keys), and a tenant's keys by the platform (tenant-api-keys).
#include "control/ctl/verb.h"

namespace penguin::control::ctl {

namespace {

Param tenant() { return argument("tenant", "the tenant's id"); }
Param key() { return argument("key", "the key's id, not its secret"); }

std::vector<Param> wanted()
{
    return {needed("name", "what the key is for"), needed("scopes", "what it may do: domains:read,...", Kind::texts),
            field("expires_at", "when it stops working (RFC 3339)")};
}

View made_view()
{
    return {.fields = {{"id", "id"},
                       {"name", "name"},
                       {"scopes", "scopes"},
                       {"created", "created_at"},
                       {"expires", "expires_at"},
                       {"key (shown this once)", "key"},
                       {"secret of Basic auth", "secret"}},
            .rows = {},
            .columns = {}};
}

View key_view()
{
    return {.fields = {{"id", "id"},
                       {"name", "name"},
                       {"scopes", "scopes"},
                       {"created", "created_at"},
                       {"expires", "expires_at"}},
            .rows = {},
            .columns = {}};
}

View list_view()
{
    return {.fields = {},
            .rows = "data",
            .columns = {{"ID", "id"},
                        {"NAME", "name"},
                        {"CREATED", "created_at"},
                        {"EXPIRES", "expires_at"},
                        {"SCOPES", "scopes"}}};
}

std::vector<Param> behind(Param first, std::vector<Param> rest)
{
    rest.insert(rest.begin(), std::move(first));
    return rest;
}

} // namespace

std::vector<Verb> api_key_verbs()
{
    return {
        {.resource = "api-keys",
         .name = "create",
         .help = "Make a key of one's own tenant, with scopes that one has oneself",
         .method = "POST",
         .path = "/v1/api-keys",
         .params = wanted(),
         .view = made_view()},
        {.resource = "api-keys",
         .name = "list",
         .help = "The tenant's keys, without their secrets",
         .method = "GET",
         .path = "/v1/api-keys",
         .params = {},
         .view = list_view(),
         .paged = true},
        {.resource = "api-keys",
         .name = "get",
         .help = "One key, without its secret",
         .method = "GET",
         .path = "/v1/api-keys/{key}",
         .params = {key()},
         .view = key_view()},
        {.resource = "api-keys",
         .name = "delete",
         .help = "Revoke a key",
         .method = "DELETE",
         .path = "/v1/api-keys/{key}",
         .params = {key()},
         .view = {},
         .done = "revoked"},
        {.resource = "tenant-api-keys",
         .name = "create",
         .help = "Make a tenant's key, by the platform",
         .method = "POST",
         .path = "/v1/tenants/{tenant}/api-keys",
         .params = behind(tenant(), wanted()),
         .view = made_view()},
        {.resource = "tenant-api-keys",
         .name = "list",
         .help = "A tenant's keys, for the platform",
         .method = "GET",
         .path = "/v1/tenants/{tenant}/api-keys",
         .params = {tenant()},
         .view = list_view(),
         .paged = true},
        {.resource = "tenant-api-keys",
         .name = "delete",
         .help = "Revoke a tenant's key, by the platform",
         .method = "DELETE",
         .path = "/v1/tenants/{tenant}/api-keys/{key}",
         .params = {tenant(), key()},
         .view = {},
         .done = "revoked"},
    };
}

} // namespace penguin::control::ctl
