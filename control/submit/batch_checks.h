// control/submit/batch_checks.h
// Runs check_batch on the worker threads that all tenants share: one check of a tenant at a time, so that the others' wait for
// one of its checks at most, however many it has brought.
//
//   limits   as tenant_groups.h: unavailable when too many wait
//   given up a check whose caller has gone is not begun, or ends (check_batch)
//   threads  one executor calls; what the workers are given lives until they are done with it
#pragma once

#include <memory>

#include "control/submit/batch_check.h"
#include "control/submit/tenant_groups.h"
#include "engine/base/asio.h"

namespace penguin::control::submit {

class BatchChecks {
public:
    explicit BatchChecks(asio::any_io_executor workers) : workers_{std::move(workers)} {}

    awaitable<std::expected<CheckedBatch, BatchRefused>> check(BatchRequest request, WallTime now);

private:
    struct Check;
    static awaitable<void> run(std::shared_ptr<Check> check); // on a worker
    awaitable<void> run_line(TenantId tenant);

    asio::any_io_executor workers_;
    TenantGroups<std::shared_ptr<Check>> lines_; // by tenant
};

} // namespace penguin::control::submit
