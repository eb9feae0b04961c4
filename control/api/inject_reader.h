// control/api/inject_reader.h
// The body of POST /api/inject/v1 (KumoMTA's injection call) -> BatchRequest.
//
//   content    a string: a whole message, any line ends; an object: text_body, html_body, subject, from, reply_to, headers,
//              attachments
//   variables  the request's substitutions, over them each recipient's
//   dialects   none named or "Mustache": ours. "Static": nothing is replaced. Others, and content with "{%" when none is
//              named: unsupported_template_dialect
//   nulls      are as good as no field, as in KumoMTA
#pragma once

#include "control/api/content_reader.h"

namespace penguin::control::api {

std::expected<submit::BatchRequest, Problem> read_injection(std::string_view body, TenantId tenant);

} // namespace penguin::control::api
