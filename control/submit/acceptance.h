// control/submit/acceptance.h
// Takes a batch: checks it, writes its content, then one row with all its recipients. When accept gives a value, the mail
// is ours (DESIGN 4.2).
//
//   refusals   by recipient: bad_address, duplicate_recipient, suppressed, missing_variable (strict content). The others are
//              accepted; when none is left, the batch is refused whole. So a client must read `refused` even after a success.
//   ids        "<batch>.<index>", where index counts the accepted recipients in their order in the request
//   again      the same idempotency key with the same request gives the same answer, with another one key_reused. It
//              holds as long as the batch's row is kept.
//   limits     see batch_check.h
//   faults     a crash between the two transactions leaves a content nobody names, which its retention ends; a client that
//              got no answer repeats with its key
//   crash points  submit.content.before/after, submit.batch.before/after
#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "control/db/database.h"
#include "control/submit/batch_check.h"
#include "engine/base/metrics.h"

namespace penguin::control::submit {

inline constexpr std::chrono::hours kContentKept{7 * 24}; // after the last batch that names it has expired

struct Accepted {
    BatchId batch;
    std::size_t count = 0; // messages; their ids are <batch>.0 ... <batch>.<count - 1>
    std::vector<Refusal> refused;
    bool repeated = false; // the answer of an earlier request with this key
};

class Acceptance {
public:
    // `database` as pm_api. `workers`: threads for the CPU work (parsing, compiling, compressing). `on_accepted` is called
    // on the caller's thread after each commit: it wakes the pump.
    Acceptance(db::Database& database, asio::any_io_executor workers, std::function<void()> on_accepted,
               Registry& metrics);

    awaitable<std::expected<Accepted, BatchRefused>> accept(BatchRequest request, WallTime now);

private:
    struct Standing;
    using Answer = std::expected<Accepted, BatchRefused>;
    awaitable<Answer> decide(BatchRequest request, WallTime now);
    awaitable<std::expected<std::optional<Accepted>, BatchRefused>> earlier(TenantId tenant, std::string key,
                                                                            std::string hash);
    awaitable<std::expected<Standing, BatchRefused>> standing(const CheckedBatch& batch);
    awaitable<Result<>> store_content(const CheckedBatch& batch, WallTime now);
    awaitable<Answer> store_batch(const CheckedBatch& batch, PoolName pool, std::vector<StoredRecipient> recipients,
                                  std::vector<Refusal> refused, WallTime now);

    db::Database& database_;
    asio::any_io_executor workers_;
    std::function<void()> on_accepted_;
    Counter& batches_;
    Counter& messages_;
    Counter& refused_batches_;
    Counter& refused_recipients_;
    Histogram& seconds_;
};

} // namespace penguin::control::submit
