#include "control/ctl/verb.h"

namespace penguin::control::ctl {

std::vector<Verb> queue_verbs()
{
    return {
        {.resource = "queue",
         .name = "reconcile",
         .help = "Queue again what Redis has lost of a pool",
         .method = "POST",
         .path = "/v1/queue/reconcile",
         .params = {needed("pool", "the pool's name"),
                    field("accept_restored_database",
                          "PostgreSQL was restored from a backup and stays: what was accepted before counts as sent",
                          Kind::flag)},
         .view = {.fields = {{"pool", "pool"},
                             {"batches looked at", "batches"},
                             {"unfinished", "unfinished"},
                             {"messages queued again", "queued"}},
                  .rows = {},
                  .columns = {}},
         .repeatable = true},
    };
}

} // namespace penguin::control::ctl
