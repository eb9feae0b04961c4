#include "control/ctl/verb.h"

namespace penguin::control::ctl {

namespace {

Param source() { return argument("source", "the source's id"); }

View warmup_view()
{
    return {.fields = {{"source", "source"},
                       {"address", "address"},
                       {"plan", "plan"},
                       {"start", "start"},
                       {"from hour", "hour_from"},
                       {"to hour", "hour_to"},
                       {"used enough", "used_enough"}},
            .rows = "providers",
            .columns = {{"PROVIDER", "provider"},
                        {"STAGE", "stage"},
                        {"OF", "last_stage"},
                        {"CAP", "cap"},
                        {"BY HAND", "cap_set"},
                        {"STOPPED", "stopped"},
                        {"SENT", "today.sent"},
                        {"DELIVERED", "today.delivered"},
                        {"BOUNCED", "today.hard_bounces"},
                        {"BLOCKED", "today.blocks"},
                        {"DEFERRED", "today.deferrals"},
                        {"DECIDED", "decided"}}};
}

std::vector<Column> signal_columns()
{
    return {{"SCOPE", "scope"}, {"SUBJECT", "subject"}, {"PROVIDER", "provider"}, {"DAY", "day"},
            {"KIND", "kind"},   {"ORIGIN", "origin"},   {"VALUE", "value"}};
}

} // namespace

std::vector<Verb> warmup_verbs()
{
    return {
        {.resource = "warmup",
         .name = "plans",
         .help = "The warm-up plans that there are",
         .method = "GET",
         .path = "/v1/warmup/plans",
         .params = {},
         .view = {.fields = {},
                  .rows = "data",
                  .columns = {{"NAME", "name"},
                              {"VERIFIED", "verified"},
                              {"ENDS", "ends"},
                              {"ORIGIN", "origin"},
                              {"NOTE", "note"}}}},
        {.resource = "warmup",
         .name = "assign",
         .help = "Put a source under a plan: its mail at each provider is capped by stage and spread over the hours",
         .method = "PUT",
         .path = "/v1/sources/{source}/warmup",
         .params = {source(), needed("plan", "its name, of warmup plans"),
                    field("start", "first day, such as 2026-12-01; today without it"),
                    field("hour_from", "first sending hour of UTC, 0 to 23", Kind::whole),
                    field("hour_to", "the hour behind the last, 1 to 24", Kind::whole),
                    field("stage", "where it begins at every provider, 0 is the first", Kind::whole),
                    field("used_enough", "part of a day's cap that must be sent to go on, 0 to 1", Kind::number)},
         .view = warmup_view()},
        {.resource = "warmup",
         .name = "get",
         .help = "Where a source is at each provider, and what it sent today",
         .method = "GET",
         .path = "/v1/sources/{source}/warmup",
         .params = {source()},
         .view = warmup_view()},
        {.resource = "warmup",
         .name = "set",
         .help = "Set a stage or a cap at a provider by hand, or stop it there for today",
         .method = "PATCH",
         .path = "/v1/sources/{source}/warmup/{provider}",
         .params = {source(), argument("provider", "of the plan's shares; other for the rest"),
                    field("stage", "0 is the first", Kind::whole),
                    field("cap", "messages a day in place of the plan's; 0: the plan's again", Kind::whole),
                    field("stopped", "nothing more is sent there today", Kind::flag)},
         .view = warmup_view()},
        {.resource = "warmup",
         .name = "end",
         .help = "Take a source out of its plan",
         .method = "DELETE",
         .path = "/v1/sources/{source}/warmup",
         .params = {source()},
         .view = {},
         .done = "ended"},
        {.resource = "warmup",
         .name = "decisions",
         .help = "What was decided about a source and why, newest first",
         .method = "GET",
         .path = "/v1/sources/{source}/warmup/decisions",
         .params = {source()},
         .view = {.fields = {},
                  .rows = "data",
                  .columns = {{"AT", "at"},
                              {"PROVIDER", "provider"},
                              {"DAY", "day"},
                              {"MOVE", "move"},
                              {"FROM", "from"},
                              {"TO", "to"},
                              {"REASON", "reason"},
                              {"SENT", "numbers.sent"},
                              {"CAP", "numbers.cap"},
                              {"ACTOR", "actor"}}},
         .paged = true},
    };
}

std::vector<Verb> signal_verbs()
{
    const std::vector<std::string_view> kinds{"complaints", "complaint_share", "listings", "snds", "traps"};
    Param scope = needed("scope", "what it is about");
    scope.choices = {"source", "domain"};
    Param kind = needed("kind", "what it counts or measures");
    kind.choices = kinds;
    View one{.fields = signal_columns(), .rows = {}, .columns = {}};
    for (Column& column : one.fields) column.title = column.path;
    return {
        {.resource = "signals",
         .name = "put",
         .help = "Say what somebody else says of a source or a domain on a day",
         .method = "PUT",
         .path = "/v1/signals",
         .params = {scope, needed("subject", "a source's id, or a domain's name"),
                    field("provider", "one alone; without it all"), needed("day", "such as 2026-12-01"), kind,
                    needed("origin", "who says so"), needed("value", "the figure", Kind::number)},
         .view = one},
        {.resource = "signals",
         .name = "list",
         .help = "Signals by what they are about, then by day",
         .method = "GET",
         .path = "/v1/signals",
         .params = {filter("scope", "of one kind of thing", {"source", "domain"}),
                    filter("subject", "a source's id, or a domain's name")},
         .view = {.fields = {}, .rows = "data", .columns = signal_columns()},
         .paged = true},
    };
}

} // namespace penguin::control::ctl
