#include "control/http/exchange.h"

#include <algorithm>

#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "control/auth/peer_group.h"
#include "engine/base/log.h"

namespace penguin::control::http {

namespace {

using Refused = std::unexpected<Problem>;

Refused refuse(Code code, std::string detail, Fields headers = {})
{
    return Refused{Problem{.code = code, .detail = std::move(detail), .headers = std::move(headers)}};
}

std::size_t count_of(const Fields& fields, std::string_view name)
{
    return static_cast<std::size_t>(
        std::ranges::count_if(fields, [name](const auto& field) { return equal_without_case(field.first, name); }));
}

std::string_view value_of(const Fields& fields, std::string_view name)
{
    const auto found =
        std::ranges::find_if(fields, [name](const auto& field) { return equal_without_case(field.first, name); });
    return found == fields.end() ? std::string_view{} : std::string_view{found->second};
}

// The parser also takes "5, 5" (RFC 9112 6.3 allows it); a proxy may not.
bool is_number_or_none(std::string_view text)
{
    return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// RFC 9112 3.2, 6.1. What two readers could understand in two ways is understood in none.
std::expected<void, Problem> check_head(const Head& head, const ServerLimits& limits)
{
    if (head.version != 10 && head.version != 11) return refuse(Code::version_not_supported, "HTTP/1.0 or HTTP/1.1.");
    if (head.target.size() > limits.target_max) return refuse(Code::uri_too_long, "The target is too long.");
    if (head.fields.size() > limits.fields_max) return refuse(Code::headers_too_large, "Too many header fields.");
    const std::size_t hosts = count_of(head.fields, "Host");
    if (hosts > 1 || (hosts == 0 && head.version == 11))
        return refuse(Code::malformed_request, "Exactly one Host field.");
    const std::size_t lengths = count_of(head.fields, "Content-Length");
    if (lengths > 1 || !is_number_or_none(value_of(head.fields, "Content-Length")))
        return refuse(Code::malformed_request, "Content-Length is one number, given once.");
    const std::size_t codings = count_of(head.fields, "Transfer-Encoding");
    if (codings > 0 && lengths > 0)
        return refuse(Code::malformed_request, "Content-Length and Transfer-Encoding exclude each other.");
    if (codings > 1 || (codings == 1 && !equal_without_case(value_of(head.fields, "Transfer-Encoding"), "chunked")))
        return refuse(Code::malformed_request, "Only the transfer coding chunked is understood.");
    if (codings > 0 && head.version == 10) return refuse(Code::malformed_request, "HTTP/1.0 has no transfer codings.");
    if (count_of(head.fields, "Authorization") > 1)
        return refuse(Code::malformed_request, "More than one Authorization field.");
    return {};
}

// "http://host/path" is as good as "/path" (RFC 9112 3.2.2).
std::string_view origin_form(std::string_view target)
{
    for (const std::string_view scheme : {std::string_view{"http://"}, std::string_view{"https://"}}) {
        if (target.size() < scheme.size() || !equal_without_case(target.substr(0, scheme.size()), scheme)) continue;
        const std::size_t slash = target.find('/', scheme.size());
        return slash == std::string_view::npos ? std::string_view{"/"} : target.substr(slash);
    }
    return target;
}

Problem unauthenticated(const Error& error)
{
    if (error.code == Errc::full)
        return Problem{.code = Code::too_many_attempts,
                       .detail = "Too many wrong credentials from this address.",
                       .headers = {{"Retry-After", "60"}}};
    if (error.code != Errc::missing && error.code != Errc::denied) return problem_of(error);
    return Problem{.code = Code::unauthenticated,
                   .detail = error.code == Errc::missing ? "A credential is needed." : "The credential is not valid.",
                   .headers = {{"WWW-Authenticate", "Bearer realm=\"penguin-mta\", Basic realm=\"penguin-mta\""}}};
}

std::expected<void, Problem> check_scope(const Route& route, const Principal& principal)
{
    if (route.audience == Audience::tenant && principal.platform())
        return refuse(Code::tenant_required, "This call needs a tenant's credential.");
    if (route.audience == Audience::platform && !principal.platform())
        return refuse(Code::platform_required, "This call needs the platform's credential.");
    if (!principal.may(route.scope))
        return refuse(Code::insufficient_scope, "The credential lacks the scope " + route.scope + ".");
    return {};
}

bool is_json(std::string_view content_type)
{
    std::string_view type = content_type.substr(0, content_type.find(';'));
    while (type.ends_with(' ') || type.ends_with('\t')) type.remove_suffix(1);
    return equal_without_case(type, "application/json");
}

std::expected<void, Problem> check_media_type(const Route& route, const Request& request)
{
    if (route.body != BodyKind::json) return {};
    const std::string_view coding = value_of(request.headers, "Content-Encoding");
    if (!coding.empty() && !equal_without_case(coding, "identity"))
        return refuse(Code::unsupported_media_type, "A body has no content coding here.");
    if (!is_json(value_of(request.headers, "Content-Type")))
        return refuse(Code::unsupported_media_type, "The body must be application/json.");
    return {};
}

// check_head has seen that a Content-Length is digits alone.
std::expected<void, Problem> check_length(const Request& request, std::size_t max)
{
    const std::string_view length = value_of(request.headers, "Content-Length");
    const bool over = length.size() > 18 || (!length.empty() && std::stoull(std::string{length}) > max);
    if (over) return refuse(Code::body_too_large, fmt::format("A body of at most {} octets is taken here.", max));
    return {};
}

Answer timed_out()
{
    return refuse(Code::unavailable, "It took too long; whether it happened is not known.", {{"Retry-After", "5"}});
}

// A fault in a handler is an answer too: operator|| would wait for the timer if it threw.
awaitable<Answer> guarded(const Route& route, const Request& request)
{
    try {
        co_return co_await route.handler(request);
    } catch (const std::exception& error) {
        log::error("http", "handler_failed",
                   {{"request", request.id}, {"route", route.pattern}, {"why", error.what()}});
    }
    co_return Refused{problem_of(Error{Errc::local_fault, {}})};
}

} // namespace

awaitable<std::expected<Admitted, Problem>> Exchange::admit(Head head, Trace& trace)
{
    const auto method = parse_method(head.method);
    if (method) trace.method = head.method;
    if (auto checked = check_head(head, limits_); !checked) co_return Refused{checked.error()};

    Admitted admitted;
    if (method == Method::options && head.target == "*") {
        admitted.ready = Response{.status = 204};
        co_return admitted;
    }
    auto target = Target::parse(origin_form(head.target));
    if (!target) co_return refuse(Code::malformed_request, "The target is not a clean path.");
    Router::Match match = router_.match(method.value_or(Method::get), target->segments);
    if (match.allowed.empty()) co_return refuse(Code::not_found, "There is no such path.");
    const std::string allow = fmt::format("{}", fmt::join(match.allowed, ", "));
    if (method == Method::options && match.route == nullptr) {
        admitted.ready = Response{.status = 204, .headers = {{"Allow", allow}}};
        co_return admitted;
    }
    if (!method || match.route == nullptr)
        co_return refuse(Code::method_not_allowed, "This path takes " + allow + ".", {{"Allow", allow}});

    const Route& route = *match.route;
    trace.route = route.pattern;
    admitted.route = &route;
    admitted.body_max = std::min(route.body_max, limits_.body_max);
    admitted.request = Request{.method = *method,
                               .params = std::move(match.params),
                               .query = std::move(target->query),
                               .headers = std::move(head.fields),
                               .peer = head.peer,
                               .id = trace.id};
    Request& request = admitted.request;
    if (route.audience != Audience::anyone) {
        std::string authorization{value_of(request.headers, "Authorization")};
        Result<Principal> principal = co_await authenticator_.authenticate(std::move(authorization), head.peer);
        if (!principal) co_return Refused{unauthenticated(principal.error())};
        trace.subject = principal->subject;
        if (principal->tenant) trace.tenant = principal->tenant->value().text();
        if (auto checked = check_scope(route, *principal); !checked) {
            tell_denied(head, trace, *principal, checked.error().code);
            co_return Refused{checked.error()};
        }
        request.principal = std::move(*principal);
    }
    if (auto checked = check_media_type(route, request); !checked) co_return Refused{checked.error()};
    if (auto checked = check_length(request, admitted.body_max); !checked) co_return Refused{checked.error()};
    const std::string_view expect = value_of(request.headers, "Expect");
    admitted.continue_wanted = equal_without_case(expect, "100-continue") && head.version == 11;
    if (!expect.empty() && !equal_without_case(expect, "100-continue"))
        co_return refuse(Code::expectation_failed, "Only 100-continue is understood.");
    co_return admitted;
}

void Exchange::tell_denied(const Head& head, const Trace& trace, const Principal& principal, Code why) const
{
    events_.note({.kind = {.action = audit::SecurityAction::request_denied,
                           .peer = peer_group_text(head.peer),
                           .actor = principal.subject,
                           .tenant = principal.tenant,
                           .route = fmt::format("{} {}", trace.method, trace.route),
                           .why = std::string{name_of(why)}},
                  .request_id = trace.id,
                  .time = wall_now()});
}

awaitable<Response> Exchange::answer(const Admitted& admitted, const Trace& trace)
{
    using namespace asio::experimental::awaitable_operators;
    if (admitted.route == nullptr) co_return admitted.ready;
    Answer answer = timed_out();
    asio::steady_timer timer{co_await asio::this_coro::executor, limits_.handler};
    auto first = co_await (guarded(*admitted.route, admitted.request) || timer.async_wait(use_result));
    if (first.index() == 0)
        answer = std::get<0>(std::move(first));
    else
        metrics_.counter("penguin_http_timeouts_total", "Deadlines that passed", {{"phase", "handler"}}).add();
    if (answer) co_return std::move(*answer);
    co_return to_response(answer.error(), trace.id);
}

void Exchange::note(const Trace& trace) const
{
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - trace.begun;
    const std::string status = std::to_string(trace.status);
    metrics_
        .counter("penguin_http_requests_total", "Requests answered",
                 {{"method", trace.method}, {"route", trace.route}, {"status", status}})
        .add();
    metrics_
        .histogram("penguin_http_request_seconds", "From the head of a request to its answer", latency_bounds_seconds(),
                   {{"route", trace.route}})
        .observe(took.count());
    const bool watching = trace.route == "/healthz" || trace.route == "/readyz" || trace.route == "/metrics";
    log::write(watching ? log::Level::debug : log::Level::info, "http", "request",
               {{"request", trace.id},
                {"method", trace.method},
                {"route", trace.route},
                {"status", trace.status},
                {"ms", static_cast<std::int64_t>(took.count() * 1000)},
                {"tenant", trace.tenant},
                {"subject", trace.subject}});
}

std::string head_text(const Response& response, std::string_view request_id, bool keep_alive, WallTime now)
{
    // RFC 5322 dates end in a zone offset, HTTP dates in GMT (RFC 9110 5.6.7).
    std::string date = to_rfc5322(now);
    date.replace(date.find(" +"), std::string::npos, " GMT");
    std::string head =
        fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\n", response.status, response.status < 400 ? "OK" : "Refused", date);
    if (response.status != 204)
        head += fmt::format("Content-Type: {}\r\nContent-Length: {}\r\n", response.content_type, response.body.size());
    head +=
        fmt::format("Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nX-Request-Id: {}\r\n", request_id);
    for (const auto& [name, value] : response.headers) {
        if (value.find_first_of(std::string_view{"\r\n\0", 3}) != std::string::npos) continue;
        head += fmt::format("{}: {}\r\n", name, value);
    }
    head += keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
    return head;
}

} // namespace penguin::control::http
