#include "control/ctl/completion.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "control/ctl/arguments.h"

namespace penguin::control::ctl {

namespace {

constexpr std::string_view kEverywhere = "--json --profile --timeout-s --retries --help";
constexpr std::string_view kAlone = "top completion version";

constexpr std::string_view kHead = R"(# Completion of penguinctl: source <(penguinctl completion bash)
_penguinctl() {
  local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} said= choices= options= files= i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      --profile | --timeout-s | --retries) i=$((i + 1)) ;;
      -*) ;;
      *) said="$said ${COMP_WORDS[i]}" ;;
    esac
  done
  case $before in
    --profile | --timeout-s | --retries) return ;;
  esac
  case "$said $before" in
)";
constexpr std::string_view kTail = R"(  esac
  if [ -n "$choices" ]; then
    COMPREPLY=($(compgen -W "$choices" -- "$current"))
  elif [ -n "$files" ] && [ "${current#-}" = "$current" ]; then
    COMPREPLY=($(compgen -f -- "$current"))
  else
    COMPREPLY=($(compgen -W "$options" -- "$current"))
  fi
}
complete -F _penguinctl penguinctl
)";

std::vector<std::string_view> resources_of(std::span<const Verb> verbs)
{
    std::vector<std::string_view> resources;
    for (const Verb& verb : verbs)
        if (std::ranges::find(resources, verb.resource) == resources.end()) resources.push_back(verb.resource);
    return resources;
}

std::string options_of(const Verb& verb)
{
    std::string out;
    for (const Param& param : verb.params)
        if (option_of(param).starts_with("--")) out += option_of(param) + " ";
    if (verb.paged) out += "--all ";
    if (verb.idempotency_key) out += "--idempotency-key ";
    return out;
}

// What may follow an option whose values we know.
std::string choice_cases(std::span<const Verb> verbs)
{
    std::string out;
    for (const Verb& verb : verbs)
        for (const Param& param : verb.params)
            if (!param.choices.empty())
                out += fmt::format("    ' {} {}'*' {}') choices='{}' ;;\n", verb.resource, verb.name, option_of(param),
                                   fmt::join(param.choices, " "));
    return out;
}

std::string option_cases(std::span<const Verb> verbs)
{
    std::string out =
        fmt::format("    '') options='{} {} {}' ;;\n", fmt::join(resources_of(verbs), " "), kAlone, kEverywhere);
    for (const std::string_view resource : resources_of(verbs)) {
        std::string names;
        for (const Verb& verb : verbs)
            if (verb.resource == resource) names += fmt::format("{} ", verb.name);
        out += fmt::format("    ' {}') options='{}{}' ;;\n", resource, names, kEverywhere);
    }
    for (const Verb& verb : verbs)
        out += fmt::format("    ' {} {}'*) {}options='{}{}' ;;\n", verb.resource, verb.name,
                           verb.takes_file ? "files=yes " : "", options_of(verb), kEverywhere);
    return out +
           fmt::format("    ' top'*) options='--once --interval-s {}' ;;\n    ' completion') options='bash zsh' ;;\n",
                       kEverywhere);
}

} // namespace

std::string completion_script(std::span<const Verb> verbs, std::string_view shell)
{
    const std::string script =
        fmt::format("{}{}  esac\n  case \"$said\" in\n{}{}", kHead, choice_cases(verbs), option_cases(verbs), kTail);
    return shell == "zsh" ? "autoload -Uz bashcompinit && bashcompinit\n" + script : script;
}

} // namespace penguin::control::ctl
