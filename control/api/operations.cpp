// GET /v1/openapi.yaml, /healthz, /readyz, /metrics
#include "control/api/answers.h"
#include "control/api/openapi_text.h"
#include "control/api/routes.h"

namespace penguin::control::api {

namespace {

Response health_response(const Health& health)
{
    json::object checks;
    for (const auto& [name, state] : health.checks) checks[name] = state;
    return json_response(health.ok ? 200 : 503,
                         json::object{{"status", health.ok ? "ok" : "unavailable"}, {"checks", std::move(checks)}});
}

awaitable<Answer> healthz(ApiDeps& deps, const Request&) { co_return health_response(deps.alive()); }
awaitable<Answer> readyz(ApiDeps& deps, const Request&) { co_return health_response(deps.ready()); }

awaitable<Answer> metrics(ApiDeps& deps, const Request&)
{
    co_return Response{.content_type = "text/plain; version=0.0.4; charset=utf-8", .body = deps.metrics.expose()};
}

awaitable<Answer> openapi(ApiDeps&, const Request&)
{
    co_return Response{.content_type = "application/yaml", .body = std::string{openapi_text()}};
}

} // namespace

void register_operations(Router& router, ApiDeps& deps)
{
    RouteAdder open{router, deps, Audience::anyone};
    open.add(Method::get, "/v1/openapi.yaml", "", openapi);
    open.add(Method::get, "/healthz", "", healthz);
    open.add(Method::get, "/readyz", "", readyz);
    open.add(Method::get, "/metrics", "", metrics);
}

} // namespace penguin::control::api
