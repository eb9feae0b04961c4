#include "control/ctl/verb.h"

namespace penguin::control::ctl {

namespace {

Param batch() { return argument("batch", "the batch's id"); }

std::vector<Column> with_counts(std::vector<Column> first)
{
    for (const Column& count : batch_counts()) first.push_back(count);
    return first;
}

} // namespace

std::vector<Column> batch_counts()
{
    return {{"total", "counts.total"},           {"queued", "counts.queued"},      {"delivered", "counts.delivered"},
            {"bounced", "counts.bounced"},       {"deferrals", "counts.deferred"}, {"expired", "counts.expired"},
            {"suppressed", "counts.suppressed"}, {"cancelled", "counts.cancelled"}};
}

std::vector<Verb> batch_verbs()
{
    return {
        {.resource = "batches",
         .name = "submit",
         .help = "Send one content to up to 10,000 recipients",
         .method = "POST",
         .path = "/v1/batches",
         .params = {},
         .view = {.fields = {{"id", "id"}, {"accepted", "accepted"}, {"refused", "refused"}},
                  .rows = "refused_recipients",
                  .columns = {{"INDEX", "index"}, {"ADDRESS", "email"}, {"CODE", "code"}, {"DETAIL", "detail"}}},
         .takes_file = true,
         .idempotency_key = true},
        {.resource = "batches",
         .name = "list",
         .help = "The tenant's batches, newest first",
         .method = "GET",
         .path = "/v1/batches",
         .params = {},
         .view = {.fields = {},
                  .rows = "data",
                  .columns = {{"ID", "id"},
                              {"CREATED", "created_at"},
                              {"TOTAL", "counts.total"},
                              {"QUEUED", "counts.queued"},
                              {"DELIVERED", "counts.delivered"},
                              {"BOUNCED", "counts.bounced"},
                              {"EXPIRED", "counts.expired"},
                              {"CAMPAIGN", "campaign_id"}}},
         .paged = true},
        {.resource = "batches",
         .name = "get",
         .help = "One batch and its counts by state",
         .method = "GET",
         .path = "/v1/batches/{batch}",
         .params = {batch()},
         .view =
             {.fields = with_counts(
                  {{"id", "id"}, {"created", "created_at"}, {"campaign", "campaign_id"}, {"mailbox", "mailbox_id"}}),
              .rows = {},
              .columns = {}}},
        {.resource = "batches",
         .name = "cancel",
         .help = "Stop what is still queued; what a node is sending now goes on",
         .method = "POST",
         .path = "/v1/batches/{batch}/cancel",
         .params = {batch()},
         .view = {.fields = {{"id", "id"}, {"cancelled", "cancelled"}}, .rows = {}, .columns = {}},
         .repeatable = true},
    };
}

} // namespace penguin::control::ctl
