#include "control/ctl/verb.h"

namespace penguin::control::ctl {

namespace {

Param campaign() { return argument("campaign", "its id, as batches name it"); }

View shown()
{
    return {.fields = {{"id", "id"},
                       {"state", "state"},
                       {"changed", "changed_at"},
                       {"days", "window.days"},
                       {"from", "window.from"},
                       {"until", "window.until"},
                       {"time zone", "window.time_zone"},
                       {"recipients' own", "window.recipients_time_zone"}},
            .rows = {},
            .columns = {}};
}

Verb change(std::string_view name, std::string_view path, std::string_view help)
{
    return {.resource = "campaigns",
            .name = name,
            .help = help,
            .method = "POST",
            .path = path,
            .params = {campaign()},
            .view = shown(),
            .repeatable = true};
}

} // namespace

std::vector<Verb> campaign_verbs()
{
    View with_counts = shown();
    for (const Column& count : batch_counts()) with_counts.fields.push_back(count);
    return {
        {.resource = "campaigns",
         .name = "list",
         .help = "Campaigns that were ever paused, resumed or cancelled, or have a sending window",
         .method = "GET",
         .path = "/v1/campaigns",
         .params = {},
         .view = {.fields = {},
                  .rows = "data",
                  .columns = {{"ID", "id"}, {"STATE", "state"}, {"CHANGED", "changed_at"}}},
         .paged = true},
        {.resource = "campaigns",
         .name = "get",
         .help = "One campaign, and the counts of all its batches",
         .method = "GET",
         .path = "/v1/campaigns/{campaign}",
         .params = {campaign()},
         .view = with_counts},
        change("pause", "/v1/campaigns/{campaign}/pause", "Let it wait; within a second nothing more of it is sent"),
        change("resume", "/v1/campaigns/{campaign}/resume", "Let a paused one go on"),
        change("cancel", "/v1/campaigns/{campaign}/cancel", "End it for good; what is queued ends as cancelled"),
        {.resource = "campaigns",
         .name = "window",
         .help = "Let its mail go at certain hours only",
         .method = "POST",
         .path = "/v1/campaigns/{campaign}/window",
         .params = {campaign(), needed("days", "mon, tue, wed, thu, fri, sat, sun", Kind::texts),
                    needed("from", "of the day: 09:00"), needed("until", "of the same day: 17:00"),
                    needed("time_zone", "of the IANA database: Europe/Berlin"),
                    field("recipients_time_zone", "by the clock of each recipient who has a time zone", Kind::flag)},
         .view = shown(),
         .repeatable = true},
        {.resource = "campaigns",
         .name = "no-window",
         .help = "Let its mail go at any hour again",
         .method = "DELETE",
         .path = "/v1/campaigns/{campaign}/window",
         .params = {campaign()},
         .view = {},
         .done = "it may go at any hour"},
    };
}

} // namespace penguin::control::ctl
