// control/submit/submission_group.h
// Takes a group of one tenant's submissions through the stores: what was accepted before under their keys, what the control
// tier says, contents, batches. One transaction a step, whatever the group's size.
//
//   out      each has its answer afterwards
//   backlog  when it refuses their pool, so are they; except those that were accepted before
//   faults   a step that fails for a reason other than the store being away or busy is done again for each alone, so that one
//            submission fails no other
//   crash points  submit.content.before/after, submit.batch.before/after
#pragma once

#include "control/db/database.h"
#include "control/submit/backlog.h"
#include "control/submit/submission.h"

namespace penguin::control::submit {

// `database` as pm_api; `backlog` may be null. The caller keeps the submissions until the end.
awaitable<void> accept_together(db::Database& database, Backlog* backlog, Group group);

} // namespace penguin::control::submit
