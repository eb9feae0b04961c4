// POST and OPTIONS /api/inject/v1, compatible with KumoMTA's injection call
#include <fmt/format.h>

#include "control/api/answers.h"
#include "control/api/inject_reader.h"
#include "control/api/routes.h"
#include "engine/mail/message_id.h"

namespace penguin::control::api {

namespace {

json::object shape_of(std::optional<BatchId> batch, std::size_t count, const std::vector<submit::Refusal>& refused)
{
    json::array failed_recipients;
    json::array errors;
    for (const submit::Refusal& refusal : refused) {
        failed_recipients.emplace_back(refusal.email);
        errors.emplace_back(fmt::format("{}: {}: {}", refusal.email, name_of(refusal.code), refusal.detail));
    }
    json::array ids;
    for (std::uint32_t index = 0; index < count; ++index) ids.emplace_back(MessageId{*batch, index}.text());
    json::object body{{"success_count", count},
                      {"fail_count", refused.size()},
                      {"failed_recipients", std::move(failed_recipients)},
                      {"errors", std::move(errors)}};
    if (!ids.empty()) body["message_id"] = ids.front();
    body["message_ids"] = std::move(ids);
    return body;
}

awaitable<Answer> inject(ApiDeps& deps, const Request& request)
{
    auto batch = read_injection(request.body, *request.principal->tenant);
    if (!batch) co_return Refused{batch.error()};
    const auto accepted = co_await deps.acceptance.accept(std::move(*batch), wall_now());
    if (accepted) co_return json_response(200, shape_of(accepted->batch, accepted->count, accepted->refused));
    // The call counts refused recipients; that all of them were is no error in its eyes.
    if (accepted.error().kind == submit::BatchRefused::Kind::no_recipient_accepted)
        co_return json_response(200, shape_of(std::nullopt, 0, accepted.error().refused));
    co_return Refused{problem_of(accepted.error(), "content")};
}

// The platform's client asks this to see whether we live (2xx, 401 and 405 are good to it).
awaitable<Answer> probe(ApiDeps&, const Request&)
{
    co_return Response{.status = 204, .headers = {{"Allow", "POST, OPTIONS"}}};
}

} // namespace

void register_inject(Router& router, ApiDeps& deps)
{
    RouteAdder routes{router, deps, Audience::tenant};
    routes.add_with_body(Method::post, "/api/inject/v1", "batches:write", inject, http::kBatchBodyMax);
    RouteAdder open{router, deps, Audience::anyone};
    open.add(Method::options, "/api/inject/v1", "", probe);
}

} // namespace penguin::control::api
