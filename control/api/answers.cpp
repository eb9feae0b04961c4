#include "control/api/answers.h"

#include <algorithm>
#include <charconv>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "control/auth/peer_group.h"
#include "control/json/strict_json.h"
#include "engine/base/log.h"
#include "engine/base/utf8.h"
#include "engine/mail/base64.h"

namespace penguin::control::api {

namespace {

// What may change settings tells this node's snapshot, so that the mail that follows finds them.
http::Handler handler_of(ApiDeps& deps, Method method, HandlerOf handler)
{
    if (method == Method::get) return [&deps, handler](const Request& request) { return handler(deps, request); };
    return [&deps, handler](const Request& request) -> awaitable<Answer> {
        Answer answer = co_await handler(deps, request);
        if (answer && deps.settings_may_have_changed) deps.settings_may_have_changed();
        co_return answer;
    };
}

} // namespace

void RouteAdder::add(Method method, const char* pattern, const char* scope, HandlerOf handler)
{
    router_.add(Route{.method = method,
                      .pattern = pattern,
                      .audience = audience_,
                      .scope = scope,
                      .handler = handler_of(deps_, method, handler)});
}

void RouteAdder::add_with_body(Method method, const char* pattern, const char* scope, HandlerOf handler,
                               std::size_t body_max)
{
    router_.add(Route{.method = method,
                      .pattern = pattern,
                      .audience = audience_,
                      .scope = scope,
                      .body = BodyKind::json,
                      .body_max = body_max,
                      .handler = handler_of(deps_, method, handler)});
}

Response json_response(unsigned status, const json::value& body, http::Fields headers)
{
    return Response{.status = status, .body = json::serialize(body), .headers = std::move(headers)};
}

Response no_content() { return Response{.status = 204}; }

Refused failed(const Request& request, const Error& error)
{
    Problem problem = http::problem_of(error);
    if (http::status_of(problem.code) >= 500) {
        log::error("api", "call_failed",
                   {{"request", request.id}, {"kind", name_of(error.code)}, {"why", error.detail}});
    }
    return Refused{std::move(problem)};
}

db::AuditEntry change_of(const Request& request, std::string_view action, std::optional<TenantId> about,
                         std::string resource, const json::object& detail)
{
    return {.time = wall_now(),
            .action = std::string{action},
            .actor = request.principal ? request.principal->subject : "",
            .tenant = about,
            .resource = std::move(resource),
            .peer = peer_text(request.peer),
            .request_id = request.id,
            .detail = json::serialize(detail)};
}

awaitable<Result<>> note_change(ApiDeps& deps, db::AuditEntry change)
{
    co_return co_await db::as_platform(deps.database.control,
                                       [&](db::Transaction& tx) { return db::append_audit(tx, change); });
}

std::optional<std::string> version_wanted(const Request& request)
{
    const auto field = request.header("If-Match");
    if (!field || *field == "*") return std::nullopt;
    const bool quoted = field->size() > 2 && field->size() < 20 && field->front() == '"' && field->back() == '"';
    const std::string_view inside = quoted ? field->substr(1, field->size() - 2) : std::string_view{};
    if (inside.find_first_not_of("0123456789") != std::string_view::npos) return "";
    return std::string{inside};
}

std::string_view text_of(const json::string& text) { return {text.data(), text.size()}; }

json::value time_or_null(const std::optional<WallTime>& time)
{
    return time ? json::value(json::string(to_rfc3339(*time))) : json::value(nullptr);
}

std::size_t QueryReader::limit()
{
    const auto given = text("limit");
    if (!given) return kPageDefault;
    std::size_t limit = 0;
    const auto [end, code] = std::from_chars(given->data(), given->data() + given->size(), limit);
    if (code == std::errc{} && end == given->data() + given->size() && limit >= 1 && limit <= kPageMax) return limit;
    issues_.add("limit", "out_of_range", fmt::format("must be from 1 to {}", kPageMax));
    return kPageDefault;
}

std::vector<std::string> QueryReader::cursor(std::size_t parts)
{
    const auto given = text("cursor");
    if (!given) return {};
    const Result<std::string> bytes = from_base64(*given);
    std::vector<std::string> key;
    std::string_view rest = bytes ? std::string_view{*bytes} : std::string_view{};
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        key.emplace_back(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    if (key.size() == parts && is_clean_text(*bytes)) return key;
    issues_.add("cursor", "bad_format", "is not a cursor of this list");
    return {};
}

std::optional<Uuid> QueryReader::uuid_cursor()
{
    const std::vector<std::string> key = cursor(1);
    if (key.empty()) return std::nullopt;
    const Result<Uuid> uuid = Uuid::parse(key.front());
    if (uuid) return *uuid;
    issues_.add("cursor", "bad_format", "is not a cursor of this list");
    return std::nullopt;
}

std::optional<std::int64_t> QueryReader::number_cursor()
{
    const std::vector<std::string> key = cursor(1);
    if (key.empty()) return std::nullopt;
    std::int64_t number = 0;
    const std::string& text = key.front();
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (code == std::errc{} && end == text.data() + text.size()) return number;
    issues_.add("cursor", "bad_format", "is not a cursor of this list");
    return std::nullopt;
}

std::optional<std::string> QueryReader::text(std::string_view name)
{
    asked_.push_back(name);
    const auto found = request_.query.find(name);
    if (found == request_.query.end()) return std::nullopt;
    return found->second;
}

std::optional<Uuid> QueryReader::uuid(std::string_view name)
{
    const auto given = text(name);
    if (!given) return std::nullopt;
    const Result<Uuid> uuid = Uuid::parse(*given);
    if (uuid) return *uuid;
    issues_.add(std::string{name}, "bad_format", "must be a UUID");
    return std::nullopt;
}

std::optional<WallTime> QueryReader::time(std::string_view name)
{
    const auto given = text(name);
    if (!given) return std::nullopt;
    const Result<WallTime> time = parse_rfc3339(*given);
    if (time) return *time;
    issues_.add(std::string{name}, "bad_format", "must be an RFC 3339 time; + is written %2B in a query");
    return std::nullopt;
}

void QueryReader::finish()
{
    for (const auto& [name, value] : request_.query) {
        if (std::ranges::find(asked_, std::string_view{name}) != asked_.end()) continue;
        issues_.add(std::string{name_in_path(name)}, "unknown_field", "there is no such parameter");
    }
}

std::string cursor_of(const std::vector<std::string>& key)
{
    std::string text;
    for (const std::string& part : key) text += part + "\n";
    return to_base64(text);
}

json::object page(json::array data, std::optional<std::string> next_cursor)
{
    return json::object{{"data", std::move(data)},
                        {"next_cursor", next_cursor ? json::value(json::string(*next_cursor)) : json::value(nullptr)}};
}

} // namespace penguin::control::api
