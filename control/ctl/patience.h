// control/ctl/patience.h
// Calls that are made again when the API says "later" (429, 503 with Retry-After), and only those that do nothing twice.
//
//   again    429 always (nothing was done); 503 when the call is repeatable, or when the connection was turned away at the door
//   limits   `retries` times; kRetryWaitMax for one wait: an answer that asks for longer is what the caller gets
//   source   RFC 9110 10.2.3, in seconds (a date is not waited for), RFC 6585 4
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "control/ctl/api_client.h"

namespace penguin::control::ctl {

inline constexpr std::chrono::seconds kRetryWaitMax{120};

// How long to wait before the call is made again; nothing: it is not to be.
std::optional<std::chrono::seconds> wait_before_retry(const http_client::Answer& answer, bool repeatable);

// `tell`: what we wait for, for people.
awaitable<Result<http_client::Answer>> call_patiently(ApiClient& client, Call call, unsigned retries,
                                                      std::function<void(const std::string&)> tell);

} // namespace penguin::control::ctl
