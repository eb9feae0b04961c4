// control/ctl/call.h
// The request that a verb and its arguments make. Pure.
//
//   in      a verb, what was given, the document of a verb that takes one
//   errors  bad_value: a flag or a number that is none, with the option's name. Everything else is the API's to judge
//   source  control/openapi.yaml; RFC 3986 2.3 (what stands in a path or a query as it is)
#pragma once

#include <optional>
#include <string>

#include "control/ctl/arguments.h"
#include "control/ctl/verb.h"
#include "engine/base/result.h"

namespace penguin::control::ctl {

struct Call {
    std::string method;
    std::string target;
    std::string body;     // JSON; empty: none
    std::string if_match; // empty: none
    std::string idempotency_key;
    bool repeatable = false; // may be sent again without doing anything twice
};

Result<Call> call_of(const Verb& verb, const Given& given, std::string document, std::string idempotency_key);

} // namespace penguin::control::ctl
