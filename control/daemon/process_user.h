// control/daemon/process_user.h
// Nothing of the daemon runs as root: started as root, it becomes another user before it does anything else.
//
//   in      the user's name; the state directory, which is given to that user when it is new, or empty and root's
//   out     the process has the user's ids and groups, no way back, and no capability
//   errors  not_found (no such user: detail says how to create it), denied (not root and somebody else; root was asked
//           for; the directory belongs to another user or cannot be reached), local_fault
#pragma once

#include <filesystem>
#include <string>

#include "engine/base/result.h"

namespace penguin::control {

inline constexpr const char* kServiceUser = "penguin-mta";

// `user` empty: the service user when we are root, nothing to do when we are not.
Result<> become_user(const std::string& user, const std::filesystem::path& state_dir);

} // namespace penguin::control
