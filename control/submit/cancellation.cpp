#include "control/submit/cancellation.h"

#include "control/db/tenancy.h"

namespace penguin::control::submit {

awaitable<Result<std::size_t>> cancel_batch(db::PgPool& queue_tier, queue::SendQueue& queue, TenantId tenant,
                                            BatchId batch)
{
    const auto mark = [&](db::Transaction& tx) {
        return tx.query("update queue.batches set state = case state when 'accepted' then 'cancelling' else state end"
                        " where tenant_id = $1 and id = $2"
                        " returning enqueued, case state when 'cancelling' then total - enqueued else 0 end as kept",
                        db::Params{tenant, batch});
    };
    const Result<db::Rows> rows = co_await db::as_platform(queue_tier, mark);
    if (!rows) co_return std::unexpected{rows.error()};
    if (rows->empty()) co_return fail(Errc::not_found, "no such batch");
    std::vector<MessageId> messages;
    for (std::uint32_t i = 0; i < rows->front().get<std::uint32_t>("enqueued"); ++i) messages.push_back({batch, i});
    const Result<std::size_t> taken = co_await queue.cancel(tenant, batch, messages);
    if (!taken) co_return std::unexpected{taken.error()};
    co_return *taken + rows->front().get<std::size_t>("kept");
}

} // namespace penguin::control::submit
