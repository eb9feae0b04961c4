#include "control/ctl/verb.h"

namespace penguin::control::ctl {

namespace {

Verb probe(std::string_view name, std::string_view help, std::string_view path)
{
    return {.resource = "health",
            .name = name,
            .help = help,
            .method = "GET",
            .path = path,
            .params = {},
            .view = {
                .fields = {{"status", "status"}}, .rows = "checks", .columns = {{"CHECK", "key"}, {"STATE", "value"}}}};
}

} // namespace

std::vector<Verb> health_verbs()
{
    return {
        probe("live", "Whether the process is alive", "/healthz"),
        probe("ready", "Whether it can take mail now", "/readyz"),
        {.resource = "health",
         .name = "metrics",
         .help = "Every metric, as Prometheus reads it",
         .method = "GET",
         .path = "/metrics",
         .params = {},
         .view = {},
         .plain_text = true},
    };
}

} // namespace penguin::control::ctl
