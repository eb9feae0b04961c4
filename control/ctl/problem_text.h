// control/ctl/problem_text.h
// What is said when a call did not succeed: what is wrong, and what to do about it. Pure.
//
//   refused      an answer of status 400 and above: title, code and detail of its problem (RFC 9457), a line for each field, a hint by
//                code, the request's id for whoever has the log. An answer that is no problem of ours: its status alone
//   unreachable  no answer: the error, and a hint by its kind
#pragma once

#include <string>

#include "control/http_client/exchange.h"
#include "engine/base/result.h"

namespace penguin::control::ctl {

// `key_from`: where the key came from, for the hint ("profile prod"); empty: none was sent.
std::string refused_text(const http_client::Answer& answer, const std::string& key_from);
std::string unreachable_text(const Error& error, const std::string& url);

} // namespace penguin::control::ctl
