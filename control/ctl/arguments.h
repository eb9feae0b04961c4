// control/ctl/arguments.h
// What a command line says. Pure: made of the verb table and the words.
//
//   out     Arguments, or Ended: help that was asked for (status 0), words that make no sense (status kUsage)
//   limits  timeout 1 to kTimeoutMax seconds a request, retries 0 to kRetriesMax, top's interval 0.1 to 3,600 s
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "control/ctl/verb.h"

namespace penguin::control::ctl {

// Exit statuses of penguinctl.
inline constexpr int kDone = 0;
inline constexpr int kRefused = 1;     // by the API; or a node that is not well
inline constexpr int kUsage = 2;       // arguments, configuration, a file that cannot be read
inline constexpr int kUnreachable = 3; // no answer, or none that this program can read; output that cannot be written

inline constexpr unsigned kTimeoutMax = 3'600; // seconds
inline constexpr unsigned kRetriesMax = 100;

// By the parameter's name; several only of Kind::texts.
using Given = std::map<std::string, std::vector<std::string>, std::less<>>;

enum class Command : std::uint8_t { verb, top, completion, version };

struct Arguments {
    Command command = Command::version;
    bool json = false;
    std::string profile; // empty: the usual one
    std::chrono::seconds timeout{30};
    unsigned retries = 3;

    const Verb* verb = nullptr; // of Command::verb
    Given given;
    bool all = false; // every page
    std::string file; // of Verb::takes_file; "-" is stdin
    std::string idempotency_key;

    bool once = false; // of Command::top
    std::chrono::milliseconds interval{2'000};
    std::string shell; // of Command::completion: bash or zsh
};

struct Ended {
    int status = kDone;
    std::string text;
};

// `words`: without the program's name. `verbs` outlive the result.
std::expected<Arguments, Ended> parse_arguments(std::span<const Verb> verbs, std::vector<std::string> words);

// "--ehlo-name" of ehlo_name; "tenant" of a parameter that is an argument.
std::string option_of(const Param& param);

} // namespace penguin::control::ctl
