// control/http/problem.h
// What is wrong, as clients get it: application/problem+json (RFC 9457) with a `code` that never changes its meaning.
//
//   Code     one for each problem of control/openapi.yaml; its status and title are fixed (problem.cpp has the table)
//   errors   fields that broke a rule, at most kFieldErrorsMax; the rest is left out
//   limits   detail holds no secret, no message body, and nothing of another tenant
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "control/http/message.h"
#include "engine/base/result.h"

namespace penguin::control::http {

enum class Code : std::uint8_t {
    malformed_request,
    malformed_json,
    uri_too_long,
    headers_too_large,
    unauthenticated,
    insufficient_scope,
    tenant_required,
    platform_required,
    not_found,
    method_not_allowed,
    request_timeout,
    conflict,
    precondition_failed,
    body_too_large,
    unsupported_media_type,
    expectation_failed,
    validation_failed,
    domain_not_verified,
    no_recipient_accepted,
    unsupported_template_dialect,
    idempotency_key_reused,
    tenant_suspended,
    too_many_attempts,
    too_many_connections,
    internal_error,
    unavailable,
    version_not_supported,
};
inline constexpr std::size_t kCodes = static_cast<std::size_t>(Code::version_not_supported) + 1;

std::string_view name_of(Code code);
unsigned status_of(Code code);

struct FieldError {
    std::string field; // "recipients[3].email"
    std::string code;  // "required", "wrong_type" ... (FieldError in openapi.yaml)
    std::string detail;
    friend bool operator==(const FieldError&, const FieldError&) = default;
};

struct Problem {
    static constexpr std::size_t kFieldErrorsMax = 100;

    Code code = Code::internal_error;
    std::string detail;
    std::vector<FieldError> errors;
    Fields headers; // Retry-After, WWW-Authenticate, Allow
};

// The problem that an Error of ours is to a client. What only we can cure is told without its detail.
Problem problem_of(const Error& error);
Problem not_found();
Problem invalid(std::string field, std::string code, std::string detail);

Response to_response(const Problem& problem, std::string_view request_id);

} // namespace penguin::control::http
