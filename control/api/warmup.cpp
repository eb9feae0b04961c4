// PUT, GET, DELETE /v1/sources/{source}/warmup, PATCH /v1/sources/{source}/warmup/{provider},
// GET /v1/sources/{source}/warmup/decisions
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "control/api/days.h"
#include "control/api/routes.h"
#include "control/db/settings_version.h"
#include "control/warmup/warmup_rows.h"

namespace penguin::control::api {

namespace {

using policy::Day;

constexpr std::size_t kStageMost = policy::kWarmupStagesMax;
constexpr const char* kLanes =
    "select {}, w.hour_from, w.hour_to from control.warmups w join control.sources s on s.id = w.source_id"
    " join control.warmup_lanes l on l.source_id = w.source_id where w.source_id = $1 order by l.provider";
constexpr const char* kAssign =
    "insert into control.warmups (source_id, plan, start, hour_from, hour_to, used_enough, created)"
    " select id, $2::text, $3::date, $4::smallint, $5::smallint, $6::double precision, $7::timestamptz"
    " from control.sources where id = $1"
    " on conflict (source_id) do update set plan = excluded.plan, start = excluded.start,"
    " hour_from = excluded.hour_from, hour_to = excluded.hour_to, used_enough = excluded.used_enough returning "
    "source_id";
// A source that goes on with its plan keeps its stages, unless somebody names one.
constexpr const char* kForget =
    "delete from control.warmup_lanes l using control.warmups w where l.source_id = $1 and w.source_id = $1"
    " and ($2::boolean or w.plan <> $3)";
constexpr const char* kAddLanes =
    "insert into control.warmup_lanes (source_id, provider, stage) select $1::uuid, share, "
    "$3::integer from unnest($2::text[]) as share"
    " on conflict do nothing returning provider";
constexpr const char* kPlanOf = "select plan from control.warmups where source_id = $1";
// Who sets something stands in the log of decisions beside what the rules decide.
constexpr const char* kNoteSet = "insert into control.warmup_decisions (id, source_id, provider, day, move, "
                                 "from_stage, to_stage, reason, numbers, actor,"
                                 " decided_at) values ($1, $2, $3, $4::date, 'set', $5, $6, $7, $8::jsonb, $9, $10)";
constexpr const char* kSet =
    "update control.warmup_lanes l set stage = coalesce($3::integer, stage),"
    " cap = case when $4::bigint is null then cap when $4::bigint = 0 then null else $4::bigint end,"
    " stopped = case when $5::boolean is null then stopped when $5::boolean then $6::date end"
    " where source_id = $1 and provider = $2 returning stage,"
    " (select b.stage from control.warmup_lanes b where b.source_id = $1 and b.provider = $2) as before";

Day today() { return std::chrono::floor<std::chrono::days>(wall_now()); }

struct Assignment {
    const policy::WarmupPlan* plan = nullptr;
    Day start;
    std::int64_t hour_from = 0, hour_to = 24;
    std::optional<std::int64_t> stage;
    std::optional<double> used_enough;
};

std::expected<Assignment, Problem> read_assignment(const Request& request)
{
    const auto document = http::parse_json(request.body);
    if (!document) return Refused{document.error()};
    const auto object = http::object_of(*document);
    if (!object) return Refused{object.error()};
    Issues issues;
    ObjectReader body{**object, issues};
    Assignment out;
    const std::string_view name = body.text("plan", {.min = 1, .max = 64});
    out.plan = policy::shipped_warmup_plan(name);
    if (!name.empty() && out.plan == nullptr) body.issue("plan", "not_found", "there is no plan of that name");
    out.start = read_day(body, "start").value_or(today());
    out.hour_from = read_whole(body, "hour_from", 0, 23).value_or(0);
    out.hour_to = read_whole(body, "hour_to", 1, 24).value_or(24);
    if (out.hour_from >= out.hour_to) body.issue("hour_to", "out_of_range", "must be behind hour_from");
    out.used_enough = body.number("used_enough", 0, 1);
    out.stage = read_whole(body, "stage", 0, static_cast<std::int64_t>(kStageMost));
    if (out.plan != nullptr && out.stage && *out.stage > static_cast<std::int64_t>(out.plan->last_stage()))
        body.issue("stage", "out_of_range", fmt::format("must be from 0 to {}", out.plan->last_stage()));
    body.finish();
    if (!issues.empty()) return Refused{std::move(issues).problem()};
    return out;
}

json::object shape_of_lane(const db::Row& row, const WarmupDays& days)
{
    const WarmupLaneRow lane = warmup_lane_of(row);
    const policy::WarmupPlan* const plan = policy::shipped_warmup_plan(lane.plan);
    const auto cap = lane.state.cap    ? lane.state.cap
                     : plan != nullptr ? plan->cap(lane.provider, lane.state.stage)
                                       : std::nullopt;
    const auto counted = days.find({lane.address, lane.provider, today()});
    return {{"provider", lane.provider},
            {"stage", lane.state.stage},
            {"last_stage", plan != nullptr ? json::value(plan->last_stage()) : json::value(nullptr)},
            {"cap", cap ? json::value(*cap) : json::value(nullptr)},
            {"cap_set", lane.state.cap.has_value()},
            {"stopped", lane.state.stopped == today()},
            {"decided", day_or_null(lane.decided)},
            {"last_sent", day_or_null(lane.state.last_sent)},
            {"today", shape_of(counted == days.end() ? policy::WarmupCounts{} : counted->second)}};
}

// Errors: not_found (no plan, or no source).
awaitable<Result<json::object>> read(ApiDeps& deps, Uuid id)
{
    const auto ask = [&](db::Transaction& tx) {
        return tx.query(fmt::format(kLanes, kWarmupLaneColumns), db::Params{id});
    };
    const Result<db::Rows> rows = co_await db::as_platform(deps.database.control, ask);
    if (!rows) co_return std::unexpected{rows.error()};
    if (rows->empty()) co_return fail(Errc::not_found, "no source with a plan");
    const db::Row first = rows->front();
    const std::string address = first.get<std::string>("address");
    const Result<WarmupDays> days = co_await warmup_days(deps.database.analytics, {address}, today(), today());
    if (!days) co_return std::unexpected{days.error()};
    const policy::WarmupPlan* const plan = policy::shipped_warmup_plan(first.text("plan"));
    const auto set = first.get<std::optional<double>>("used_enough");
    const double used_enough = set.value_or(plan != nullptr ? plan->used_enough : 1);
    json::array lanes;
    for (const db::Row row : *rows) lanes.emplace_back(shape_of_lane(row, *days));
    co_return json::object{{"source", id.text()},
                           {"address", address},
                           {"plan", first.text("plan")},
                           {"start", first.text("start")},
                           {"hour_from", first.get<int>("hour_from")},
                           {"hour_to", first.get<int>("hour_to")},
                           {"used_enough", used_enough},
                           {"providers", std::move(lanes)}};
}

awaitable<Answer> answer_with(ApiDeps& deps, const Request& request, Uuid id)
{
    const Result<json::object> shape = co_await read(deps, id);
    if (!shape) co_return failed(request, shape.error());
    co_return json_response(200, *shape);
}

db::Statement note_of(const Request& request, Uuid source, std::string_view provider, std::size_t from, std::size_t to,
                      std::string_view reason, const json::object& numbers)
{
    const WallTime now = wall_now();
    return {kNoteSet, db::Params{Uuid::v7(now), source, provider, day_text(today()), from, to, reason,
                                 json::serialize(numbers), request.principal->subject, now}};
}

awaitable<Result<>> assign(db::Transaction& tx, const Request& request, Uuid id, Assignment given)
{
    const Result<db::Rows> forgotten =
        co_await tx.query(kForget, db::Params{id, given.stage.has_value(), given.plan->name});
    if (!forgotten) co_return std::unexpected{forgotten.error()};
    const Result<db::Rows> rows =
        co_await tx.query(kAssign, db::Params{id, given.plan->name, day_text(given.start), given.hour_from,
                                              given.hour_to, given.used_enough, wall_now()});
    if (!rows) co_return std::unexpected{rows.error()};
    if (rows->empty()) co_return fail(Errc::not_found, "no such source");
    std::vector<std::string> shares;
    shares.reserve(given.plan->shares.size());
    for (const auto& [share, part] : given.plan->shares) shares.push_back(share);
    const auto stage = static_cast<std::size_t>(given.stage.value_or(0));
    const Result<db::Rows> added = co_await tx.query(kAddLanes, db::Params{id, shares, stage});
    if (!added) co_return std::unexpected{added.error()};
    std::vector<db::Statement> notes;
    for (const db::Row row : *added)
        notes.push_back(
            note_of(request, id, row.text("provider"), stage, stage, "assigned", {{"plan", given.plan->name}}));
    if (!notes.empty())
        if (const auto noted = co_await tx.query_all(std::move(notes)); !noted)
            co_return std::unexpected{noted.error()};
    json::object detail{{"plan", given.plan->name},
                        {"start", day_text(given.start)},
                        {"hour_from", given.hour_from},
                        {"hour_to", given.hour_to}};
    if (given.stage) detail["stage"] = *given.stage;
    if (given.used_enough) detail["used_enough"] = *given.used_enough;
    co_return co_await db::settings_changed(
        tx, change_of(request, "warmup.assigned", {}, "source/" + id.text() + "/warmup", detail));
}

awaitable<Answer> put(ApiDeps& deps, const Request& request)
{
    const Result<Uuid> id = Uuid::parse(request.param("source"));
    if (!id) co_return Refused{http::not_found()};
    const auto given = read_assignment(request);
    if (!given) co_return Refused{given.error()};
    const auto work = [&](db::Transaction& tx) { return assign(tx, request, *id, *given); };
    const Result<> assigned = co_await db::as_platform(deps.database.control, work);
    if (!assigned) co_return failed(request, assigned.error());
    co_return co_await answer_with(deps, request, *id);
}

awaitable<Answer> get(ApiDeps& deps, const Request& request)
{
    const Result<Uuid> id = Uuid::parse(request.param("source"));
    if (!id) co_return Refused{http::not_found()};
    co_return co_await answer_with(deps, request, *id);
}

awaitable<Answer> remove(ApiDeps& deps, const Request& request)
{
    const Result<Uuid> id = Uuid::parse(request.param("source"));
    if (!id) co_return Refused{http::not_found()};
    const auto work = [&](db::Transaction& tx) -> awaitable<Result<>> {
        const Result<db::Rows> rows =
            co_await tx.query("delete from control.warmups where source_id = $1", db::Params{*id});
        if (!rows) co_return std::unexpected{rows.error()};
        if (rows->affected() == 0) co_return fail(Errc::not_found, "no source with a plan");
        co_return co_await db::settings_changed(
            tx, change_of(request, "warmup.ended", {}, "source/" + id->text() + "/warmup"));
    };
    const Result<> removed = co_await db::as_platform(deps.database.control, work);
    if (!removed) co_return failed(request, removed.error());
    co_return no_content();
}

struct Override {
    std::optional<std::int64_t> stage, cap;
    std::optional<bool> stopped;
};

std::expected<Override, Problem> read_override(const Request& request)
{
    const auto document = http::parse_json(request.body);
    if (!document) return Refused{document.error()};
    const auto object = http::object_of(*document);
    if (!object) return Refused{object.error()};
    Issues issues;
    ObjectReader body{**object, issues};
    Override out;
    out.stage = read_whole(body, "stage", 0, static_cast<std::int64_t>(kStageMost));
    out.cap = read_whole(body, "cap", 0, static_cast<std::int64_t>(policy::kWarmupCapMax));
    out.stopped = body.optional_boolean("stopped");
    if (!body.has("stage") && !body.has("cap") && !body.has("stopped"))
        body.issue("stage", "required", "one of stage, cap and stopped is needed");
    body.finish();
    if (!issues.empty()) return Refused{std::move(issues).problem()};
    return out;
}

awaitable<Answer> patch(ApiDeps& deps, const Request& request)
{
    const Result<Uuid> id = Uuid::parse(request.param("source"));
    if (!id) co_return Refused{http::not_found()};
    const auto given = read_override(request);
    if (!given) co_return Refused{given.error()};
    const auto ask = [&](db::Transaction& tx) { return tx.query(kPlanOf, db::Params{*id}); };
    const Result<db::Rows> found = co_await db::as_platform(deps.database.control, ask);
    if (!found) co_return failed(request, found.error());
    if (found->empty()) co_return Refused{http::not_found()};
    const policy::WarmupPlan* const plan = policy::shipped_warmup_plan(found->front().text("plan"));
    if (plan != nullptr && given->stage && *given->stage > static_cast<std::int64_t>(plan->last_stage()))
        co_return Refused{
            http::invalid("stage", "out_of_range", fmt::format("must be from 0 to {}", plan->last_stage()))};
    const std::string& provider = request.param("provider");
    json::object detail;
    if (given->stage) detail["stage"] = *given->stage;
    if (given->cap) detail["cap"] = *given->cap;
    if (given->stopped) detail["stopped"] = *given->stopped;
    const auto work = [&](db::Transaction& tx) -> awaitable<Result<>> {
        const Result<db::Rows> rows = co_await tx.query(
            kSet, db::Params{*id, provider, given->stage, given->cap, given->stopped, day_text(today())});
        if (!rows) co_return std::unexpected{rows.error()};
        if (rows->empty()) co_return fail(Errc::not_found, "no such share of a source's plan");
        const db::Row row = rows->front();
        std::vector<db::Statement> note;
        note.push_back(note_of(request, *id, provider, row.get<std::size_t>("before"), row.get<std::size_t>("stage"),
                               "by_hand", detail));
        const Result<std::vector<db::Rows>> noted = co_await tx.query_all(std::move(note));
        if (!noted) co_return std::unexpected{noted.error()};
        co_return co_await db::settings_changed(
            tx, change_of(request, "warmup.set", {}, fmt::format("source/{}/warmup/{}", id->text(), provider), detail));
    };
    const Result<> set = co_await db::as_platform(deps.database.control, work);
    if (!set) co_return failed(request, set.error());
    co_return co_await answer_with(deps, request, *id);
}

json::object shape_of_decision(const db::Row& row)
{
    return {{"id", row.get<Uuid>("id").text()}, {"at", to_rfc3339(row.get<WallTime>("decided_at"))},
            {"provider", row.text("provider")}, {"day", row.text("day")},
            {"move", row.text("move")},         {"from", row.get<int>("from_stage")},
            {"to", row.get<int>("to_stage")},   {"reason", row.text("reason")},
            {"actor", row.text("actor")},       {"numbers", json::parse(row.text("numbers"))}};
}

awaitable<Answer> decisions(ApiDeps& deps, const Request& request)
{
    const Result<Uuid> id = Uuid::parse(request.param("source"));
    if (!id) co_return Refused{http::not_found()};
    Issues issues;
    QueryReader query{request, issues};
    const std::size_t limit = query.limit();
    const std::optional<Uuid> after = query.uuid_cursor();
    query.finish();
    if (!issues.empty()) co_return Refused{std::move(issues).problem()};
    const auto ask = [&](db::Transaction& tx) {
        return tx.query(
            "select id, provider, to_char(day, 'YYYY-MM-DD') as day, move, from_stage, to_stage, reason, numbers,"
            " actor, decided_at from control.warmup_decisions where source_id = $1"
            " and ($2::uuid is null or id < $2) order by id desc limit $3",
            db::Params{*id, after, limit + 1});
    };
    const Result<db::Rows> rows = co_await db::as_platform(deps.database.control, ask);
    if (!rows) co_return failed(request, rows.error());
    co_return page_of(*rows, limit, shape_of_decision,
                      [](const db::Row& row) { return std::vector<std::string>{row.get<Uuid>("id").text()}; });
}

} // namespace

void register_warmup(Router& router, ApiDeps& deps)
{
    RouteAdder routes{router, deps, Audience::platform};
    routes.add_with_body(Method::put, "/v1/sources/{source}/warmup", "sources:write", put);
    routes.add(Method::get, "/v1/sources/{source}/warmup", "sources:read", get);
    routes.add(Method::del, "/v1/sources/{source}/warmup", "sources:write", remove);
    routes.add(Method::get, "/v1/sources/{source}/warmup/decisions", "sources:read", decisions);
    routes.add_with_body(Method::patch, "/v1/sources/{source}/warmup/{provider}", "sources:write", patch);
}

} // namespace penguin::control::api
