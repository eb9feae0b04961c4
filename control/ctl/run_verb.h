// control/ctl/run_verb.h
// One verb from its arguments to what is printed: the request, patience, the answer as a table or as JSON.
//
//   out      to `out` what was asked for, to `err` what went wrong and what is still to come
//   --json   the API's own document; with --all one object a line, page by page
//   errors   by the exit status (arguments.h); the text says what to do
#pragma once

#include <functional>
#include <string>

#include "control/ctl/arguments.h"
#include "control/ctl/patience.h"
#include "control/ctl/profile.h"

namespace penguin::control::ctl {

inline constexpr std::size_t kDocumentMax = std::size_t{64}
                                            << 20; // octets of a verb's file; the API has a bound of its own

struct Writers {
    std::function<void(const std::string&)> out;
    std::function<void(const std::string&)> err;
};

// `arguments`, `client` and `profile` outlive it. Gives the exit status.
awaitable<int> run_verb(const Arguments& arguments, ApiClient& client, const Profile& profile, Writers writers);

} // namespace penguin::control::ctl
