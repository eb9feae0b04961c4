// GET /v1/messages/{message}
#include <fmt/format.h>

#include "control/api/answers.h"
#include "control/api/event_rows.h"
#include "control/api/routes.h"
#include "control/db/tenancy.h"
#include "control/submit/acceptance.h"
#include "engine/mail/message_id.h"
#include "engine/queue/event.h"

namespace penguin::control::api {

namespace {

constexpr std::size_t kEventsMax = 1'000; // of one message

awaitable<Result<db::Rows>> events_of(ApiDeps& deps, TenantId tenant, MessageId id)
{
    co_return co_await db::as_tenant(
        deps.database.analytics, tenant, [&](db::Transaction& tx) -> awaitable<Result<db::Rows>> {
            db::Params params{tenant, id.batch, id.index, kEventsMax};
            co_return co_await tx.query(
                fmt::format("select {} from analytics.events where tenant_id = $1 and batch_id = $2 "
                            "and idx = $3 order by position limit $4",
                            kEventColumns),
                std::move(params));
        });
}

// The final event's kind when there is one: a deferral that was told late changes nothing. Else the last one's.
std::string state_of(const db::Rows& events)
{
    std::string state = "queued";
    for (const db::Row row : events) {
        state = row.get<std::string>("kind");
        const Result<queue::EventKind> kind = queue::parse_event_kind(state);
        if (kind && is_final(*kind)) break;
    }
    return state;
}

awaitable<Answer> get(ApiDeps& deps, const Request& request)
{
    const Result<MessageId> id = MessageId::parse(request.param("message"));
    if (!id) co_return Refused{http::not_found()};
    const TenantId tenant = *request.principal->tenant;
    const auto recipient = co_await submit::find_recipient(deps.database.queue, tenant, *id);
    if (!recipient) co_return failed(request, recipient.error());
    const Result<db::Rows> events = co_await events_of(deps, tenant, *id);
    if (!events) co_return failed(request, events.error());
    json::array shown;
    for (const db::Row row : *events) shown.emplace_back(shape_of_event(row));
    co_return json_response(200, json::object{{"id", id->text()},
                                              {"batch_id", id->batch.value().text()},
                                              {"recipient", recipient->to.text()},
                                              {"state", state_of(*events)},
                                              {"events", std::move(shown)}});
}

} // namespace

void register_messages(Router& router, ApiDeps& deps)
{
    RouteAdder routes{router, deps, Audience::tenant};
    routes.add(Method::get, "/v1/messages/{message}", "messages:read", get);
}

} // namespace penguin::control::api
