#include "control/http/problem.h"

#include <array>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace penguin::control::http {

namespace {

struct Row {
    Code code;
    std::string_view name;
    unsigned status;
};
constexpr std::array<Row, kCodes> kTable{{
    {Code::malformed_request, "malformed_request", 400},
    {Code::malformed_json, "malformed_json", 400},
    {Code::uri_too_long, "uri_too_long", 414},
    {Code::headers_too_large, "headers_too_large", 431},
    {Code::unauthenticated, "unauthenticated", 401},
    {Code::insufficient_scope, "insufficient_scope", 403},
    {Code::tenant_required, "tenant_required", 403},
    {Code::platform_required, "platform_required", 403},
    {Code::not_found, "not_found", 404},
    {Code::method_not_allowed, "method_not_allowed", 405},
    {Code::request_timeout, "request_timeout", 408},
    {Code::conflict, "conflict", 409},
    {Code::precondition_failed, "precondition_failed", 412},
    {Code::body_too_large, "body_too_large", 413},
    {Code::unsupported_media_type, "unsupported_media_type", 415},
    {Code::expectation_failed, "expectation_failed", 417},
    {Code::validation_failed, "validation_failed", 422},
    {Code::domain_not_verified, "domain_not_verified", 422},
    {Code::no_recipient_accepted, "no_recipient_accepted", 422},
    {Code::unsupported_template_dialect, "unsupported_template_dialect", 422},
    {Code::idempotency_key_reused, "idempotency_key_reused", 422},
    {Code::tenant_suspended, "tenant_suspended", 403},
    {Code::too_many_attempts, "too_many_attempts", 429},
    {Code::too_many_connections, "too_many_connections", 503},
    {Code::internal_error, "internal_error", 500},
    {Code::unavailable, "unavailable", 503},
    {Code::version_not_supported, "version_not_supported", 505},
}};

const Row& row_of(Code code) { return kTable[static_cast<std::size_t>(code)]; }

consteval bool in_order()
{
    for (std::size_t i = 0; i < kTable.size(); ++i)
        if (static_cast<std::size_t>(kTable[i].code) != i) return false;
    return true;
}
static_assert(in_order(), "row_of looks a code up by its place");

std::string_view title_of(unsigned status)
{
    switch (status) {
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    default: return "Internal Server Error";
    }
}

constexpr std::string_view kRetryAfterSeconds = "5";

Problem try_later()
{
    return Problem{.code = Code::unavailable,
                   .detail = "A store that this call needs does not answer. Try again.",
                   .headers = {{"Retry-After", std::string{kRetryAfterSeconds}}}};
}

} // namespace

std::string_view name_of(Code code) { return row_of(code).name; }
unsigned status_of(Code code) { return row_of(code).status; }

Problem not_found() { return Problem{.code = Code::not_found, .detail = "There is no such thing."}; }

Problem invalid(std::string field, std::string code, std::string detail)
{
    Problem problem{.code = Code::validation_failed, .detail = field + ": " + detail};
    problem.errors.push_back(FieldError{std::move(field), std::move(code), std::move(detail)});
    return problem;
}

Problem problem_of(const Error& error)
{
    switch (error.code) {
    case Errc::bad_value:
    case Errc::bad_address:
    case Errc::too_long:
    case Errc::malformed:
    case Errc::missing: return Problem{.code = Code::validation_failed, .detail = error.detail};
    case Errc::not_found: return not_found();
    case Errc::conflict: return Problem{.code = Code::conflict, .detail = error.detail};
    case Errc::stale:
        return Problem{.code = Code::precondition_failed, .detail = "It was changed meanwhile; read it again."};
    case Errc::timeout:
    case Errc::closed:
    case Errc::refused:
    case Errc::unreachable:
    case Errc::tls_failed:
    case Errc::unavailable:
    case Errc::full:
    case Errc::cancelled: return try_later();
    case Errc::denied:
    case Errc::local_fault: break;
    }
    return Problem{.code = Code::internal_error, .detail = "The fault is ours; the log has it under this request id."};
}

Response to_response(const Problem& problem, std::string_view request_id)
{
    const Row& row = row_of(problem.code);
    boost::json::object body{{"type", "about:blank"},    {"title", title_of(row.status)},
                             {"status", row.status},     {"code", row.name},
                             {"detail", problem.detail}, {"instance", "urn:uuid:" + std::string{request_id}}};
    if (!problem.errors.empty()) {
        boost::json::array errors;
        for (const FieldError& error : problem.errors) {
            if (errors.size() == Problem::kFieldErrorsMax) break;
            errors.push_back({{"field", error.field}, {"code", error.code}, {"detail", error.detail}});
        }
        body["errors"] = std::move(errors);
    }
    return Response{.status = row.status,
                    .content_type = "application/problem+json",
                    .body = boost::json::serialize(body),
                    .headers = problem.headers};
}

} // namespace penguin::control::http
