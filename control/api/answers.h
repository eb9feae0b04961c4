// control/api/answers.h
// The few things that all resources say: JSON answers, problems of failures, pages.
//
//   cursor  opaque to clients: base64 of the sort key of the last row of a page. It is only ever compared with rows that
//           the caller may see, so a forged one reads nothing more.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "control/api/deps.h"
#include "control/db/audit_entry.h"
#include "control/http/json_reader.h"
#include "control/http/router.h"

namespace penguin::control::api {

namespace json = boost::json;
using http::Answer;
using http::Audience;
using http::BodyKind;
using http::Code;
using http::Issues;
using http::Method;
using http::ObjectReader;
using http::Problem;
using http::Request;
using http::Response;
using http::Route;
using http::Router;
using Refused = std::unexpected<Problem>;

using HandlerOf = awaitable<Answer> (*)(ApiDeps& deps, const Request& request);

Response json_response(unsigned status, const json::value& body, http::Fields headers = {});
Response no_content();

// What a failure is to the client; what only we can cure goes to the log under the request's id.
Refused failed(const Request& request, const Error& error);

// What a call changes, for the audit log: by whom, from where. `about` is whose thing it is; nothing: the platform's.
// `detail` holds no secret and no recipient's address.
db::AuditEntry change_of(const Request& request, std::string_view action, std::optional<TenantId> about,
                         std::string resource, const json::object& detail = {});
// In a transaction of its own, for what no transaction of the control tier changes.
awaitable<Result<>> note_change(ApiDeps& deps, db::AuditEntry change);

// The version that If-Match names; nothing: any. One that we never gave is "", which matches nothing (RFC 9110 13.1.1).
std::optional<std::string> version_wanted(const Request& request);

std::string_view text_of(const json::string& text);
json::value time_or_null(const std::optional<WallTime>& time);
// Parentheses: json::value{x} would be an array of one.
template <class Id>
json::value id_or_null(const std::optional<Id>& id)
{
    return id ? json::value(json::string(id->value().text())) : json::value(nullptr);
}

inline constexpr std::size_t kPageDefault = 100; // rows
inline constexpr std::size_t kPageMax = 500;     // rows

// The query of a request. Issues name parameters; finish() names those that nobody asked for.
class QueryReader {
public:
    QueryReader(const Request& request, Issues& issues) : request_{request}, issues_{issues} {}
    std::size_t limit();
    // The sort key of the page before, `parts` values; empty: the first page.
    std::vector<std::string> cursor(std::size_t parts);
    // As above, one UUID or one whole number.
    std::optional<Uuid> uuid_cursor();
    std::optional<std::int64_t> number_cursor();
    std::optional<std::string> text(std::string_view name);
    std::optional<Uuid> uuid(std::string_view name);
    std::optional<WallTime> time(std::string_view name);
    void finish();

private:
    const Request& request_;
    Issues& issues_;
    std::vector<std::string_view> asked_;
};

std::string cursor_of(const std::vector<std::string>& key);
json::object page(json::array data, std::optional<std::string> next_cursor);

// A page out of limit + 1 rows: the one too many says that there is more. `shape` makes a row's JSON, `key` its sort key.
template <class Shape, class Key>
Response page_of(const db::Rows& rows, std::size_t limit, Shape shape, Key key)
{
    json::array data;
    std::optional<std::string> next;
    for (std::size_t i = 0; i < std::min(rows.size(), limit); ++i) data.emplace_back(shape(rows[i]));
    if (rows.size() > limit) next = cursor_of(key(rows[limit - 1]));
    return json_response(200, page(std::move(data), std::move(next)));
}

// Adds routes of one audience.
class RouteAdder {
public:
    RouteAdder(Router& router, ApiDeps& deps, Audience audience) : router_{router}, deps_{deps}, audience_{audience} {}
    void add(Method method, const char* pattern, const char* scope, HandlerOf handler);
    void add_with_body(Method method, const char* pattern, const char* scope, HandlerOf handler,
                       std::size_t body_max = http::kBodyMax);

private:
    Router& router_;
    ApiDeps& deps_;
    Audience audience_;
};

} // namespace penguin::control::api
