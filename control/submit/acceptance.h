// control/submit/acceptance.h
// Takes a batch: checks it, writes its content, then one row with all its recipients. When accept gives a value, the mail
// is ours (DESIGN 4.2).
//
//   refusals   by recipient: bad_address, duplicate_recipient, suppressed, missing_variable (strict content), outside_window (the
//              campaign's sending window does not open before the message expires). The others are
//              accepted; when none is left, the batch is refused whole. So a client must read `refused` even after a success.
//   ids        "<batch>.<index>", where index counts the accepted recipients in their order in the request
//   again      the same idempotency key with the same request gives the same answer, with another one key_reused. It
//              holds as long as the batch's row is kept.
//   groups     small submissions of a tenant (kSmallOctets, one chunk) share transactions: see tenant_groups.h; a larger one
//              has its own, beside them
//   limits     see batch_check.h; unavailable when too many wait (tenant_groups.h), before the check or after it; backlog_full
//              when the pool's backlog is (backlog.h)
//   faults     a crash between the two transactions leaves a content nobody names, which its retention ends; a client that
//              got no answer repeats with its key. Who gives up while it waits leaves nothing; once its group is under way, its
//              batch may have been accepted.
//   threads    one executor calls accept
//   crash points  see submission_group.h
#pragma once

#include <functional>
#include <memory>

#include "control/db/database.h"
#include "control/submit/backlog.h"
#include "control/submit/batch_checks.h"
#include "control/submit/submission.h"
#include "control/submit/tenant_groups.h"
#include "engine/base/metrics.h"

namespace penguin::control::submit {

inline constexpr std::size_t kSmallOctets = 32 * 1024; // content and recipients, compressed

class Acceptance {
public:
    // `database` as pm_api. `workers`: threads for the CPU work (parsing, compiling, compressing). `on_accepted` is called
    // on the caller's thread after each commit: it wakes the pump. `backlog` may be null: then nothing bounds it.
    Acceptance(db::Database& database, asio::any_io_executor workers, std::function<void()> on_accepted,
               Registry& metrics, Backlog* backlog = nullptr);

    awaitable<Answer> accept(BatchRequest request, WallTime now);

private:
    struct Waiting;
    awaitable<Answer> decide(BatchRequest request, WallTime now);
    awaitable<Answer> in_group(Submission submission);
    awaitable<void> run_groups(TenantId tenant);
    awaitable<void> accept_group(const std::vector<std::shared_ptr<Waiting>>& members);

    db::Database& database_;
    BatchChecks checks_;
    std::function<void()> on_accepted_;
    Backlog* backlog_;
    TenantGroups<std::shared_ptr<Waiting>> groups_;
    Counter& batches_;
    Counter& messages_;
    Counter& refused_batches_;
    Counter& refused_recipients_;
    Counter& groups_run_;
    Histogram& seconds_;
};

} // namespace penguin::control::submit
