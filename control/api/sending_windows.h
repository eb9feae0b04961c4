// control/api/sending_windows.h
// A campaign's sending window (engine/policy/sending_window.h) as the API takes and shows it.
#pragma once

#include "control/api/answers.h"
#include "engine/policy/sending_window.h"

namespace penguin::control::api {

// {"days", "from", "until", "time_zone", "recipients_time_zone"}. Nothing when something is wrong, which is in the issues.
std::optional<policy::SendingWindow> read_window(ObjectReader& body);
// Of the text that is stored; null without one.
json::value shape_of_window(const std::optional<std::string>& stored);

} // namespace penguin::control::api
