// control/ctl/completion.h
// What a shell needs to complete penguinctl's words, made of the verb table. Pure.
//
//   bash    a function that knows resources, verbs and options; where a verb takes a file, files
//   zsh     the same by bashcompinit, which zsh brings along
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "control/ctl/verb.h"

namespace penguin::control::ctl {

// `shell`: bash or zsh.
std::string completion_script(std::span<const Verb> verbs, std::string_view shell);

} // namespace penguin::control::ctl
