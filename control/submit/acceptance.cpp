#include "control/submit/acceptance.h"

#include <algorithm>
#include <set>

#include <boost/asio/co_spawn.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "control/db/compression.h"
#include "control/db/tenancy.h"
#include "engine/base/crash_point.h"
#include "engine/base/log.h"

namespace penguin::control::submit {

namespace json = boost::json;

// What the control tier knows of the tenant, its domains and these recipients.
struct Acceptance::Standing {
    std::string status; // "" when there is no such tenant
    PoolName pool;
    std::set<std::string> verified;   // domain names
    std::set<std::string> suppressed; // folded addresses
};

namespace {

using Kind = BatchRefused::Kind;
using Answer = std::expected<Accepted, BatchRefused>;

constexpr std::size_t kRefusalsOctetsMax = 64 * 1024 * 1024; // their JSON, of kRecipientsMax recipients

std::unexpected<BatchRefused> refuse(const Error& error)
{
    switch (error.code) {
    case Errc::unavailable:
    case Errc::timeout:
    case Errc::full:
    case Errc::closed:
    case Errc::cancelled: return refuse(Kind::unavailable, error.detail);
    default: return refuse(Kind::fault, error.detail);
    }
}

std::string pack_refusals(const std::vector<Refusal>& refused)
{
    json::array rows;
    for (const Refusal& one : refused)
        rows.push_back(json::array{one.index, one.email, static_cast<int>(one.code), one.detail});
    return db::compress(json::serialize(rows));
}

Result<std::vector<Refusal>> unpack_refusals(std::string_view packed)
{
    const Result<std::string> text = db::decompress(packed, kRefusalsOctetsMax);
    if (!text) return std::unexpected{text.error()};
    boost::system::error_code code;
    json::parse_options options;
    options.allow_invalid_utf8 = true; // an address may have been refused for that
    const json::value rows = json::parse(*text, code, {}, options);
    if (code || !rows.is_array()) return fail(Errc::malformed, "refusals of a batch: not a JSON array");
    std::vector<Refusal> refused;
    for (const json::value& value : rows.get_array()) {
        const json::array& row = value.as_array();
        refused.push_back({row.at(0).to_number<std::size_t>(), std::string{row.at(1).as_string()},
                           static_cast<Refusal::Code>(row.at(2).to_number<int>()), std::string{row.at(3).as_string()}});
    }
    return refused;
}

constexpr std::string_view kInsertContent =
    "insert into content.contents (tenant_id, id, body, size, retained_until, created) values ($1, $2, $3, $4, $5, $6)"
    " on conflict (tenant_id, id) do update"
    " set retained_until = greatest(content.contents.retained_until, excluded.retained_until)";

constexpr std::string_view kInsertBatch =
    "insert into queue.batches (tenant_id, id, pool, content_id, campaign_id, mailbox_id, sender, prio, not_before,"
    " expires, recipients, chunk_size, total, idempotency_key, request_hash, refused, created)"
    " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::bytea[], $12, $13, $14, $15, $16, $17)"
    " on conflict (tenant_id, idempotency_key) where idempotency_key is not null do nothing";

constexpr std::string_view kFindByKey = "select id, total, request_hash, refused from queue.batches"
                                        " where tenant_id = $1 and idempotency_key = $2";

Answer answer_again(const db::Row& row, std::string_view hash)
{
    if (row.get<db::Bytes>("request_hash").value != hash)
        return refuse(Kind::key_reused, "the idempotency key belongs to another request");
    Accepted again{row.get<BatchId>("id"), row.get<std::size_t>("total"), {}, true};
    if (row.null("refused")) return again;
    Result<std::vector<Refusal>> refused = unpack_refusals(row.get<db::Bytes>("refused").value);
    if (!refused) return refuse(refused.error());
    again.refused = std::move(*refused);
    return again;
}

} // namespace

Acceptance::Acceptance(db::Database& database, asio::any_io_executor workers, std::function<void()> on_accepted,
                       Registry& metrics)
    : database_{database},
      workers_{std::move(workers)},
      on_accepted_{std::move(on_accepted)},
      batches_{metrics.counter("penguin_submit_batches_total", "Batches accepted")},
      messages_{metrics.counter("penguin_submit_messages_total", "Messages accepted")},
      refused_batches_{metrics.counter("penguin_submit_refused_batches_total", "Batches refused whole")},
      refused_recipients_{
          metrics.counter("penguin_submit_refused_recipients_total", "Recipients refused at submission")},
      seconds_{metrics.histogram("penguin_submit_seconds", "From the parsed request to the commit of its batch",
                                 latency_bounds_seconds())}
{
}

awaitable<Answer> Acceptance::accept(BatchRequest request, WallTime now)
{
    const SteadyTime start = std::chrono::steady_clock::now();
    Answer answer = refuse(Kind::fault, "");
    answer = co_await decide(std::move(request), now);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    if (!answer) {
        refused_batches_.add();
        if (answer.error().kind == Kind::fault) log::error("submit", "failed", {{"why", answer.error().detail}});
        co_return answer;
    }
    seconds_.observe(took.count());
    if (answer->repeated) co_return answer;
    batches_.add();
    messages_.add(answer->count);
    refused_recipients_.add(answer->refused.size());
    if (on_accepted_) on_accepted_();
    co_return answer;
}

awaitable<Answer> Acceptance::decide(BatchRequest request, WallTime now)
{
    // Optional, because what crosses executors needs a default.
    using Check = std::optional<std::expected<CheckedBatch, BatchRefused>>;
    const auto check = [](BatchRequest on, WallTime at) -> awaitable<Check> { co_return check_batch(on, at); };
    Check checked = co_await asio::co_spawn(workers_, check(std::move(request), now), asio::use_awaitable);
    auto& batch = *checked;
    if (!batch) co_return std::unexpected{std::move(batch.error())};
    if (!batch->idempotency_key.empty()) {
        auto before = co_await earlier(batch->tenant, batch->idempotency_key, batch->request_hash);
        if (!before) co_return std::unexpected{std::move(before.error())};
        if (*before) co_return std::move(**before);
    }
    const auto known = co_await standing(*batch);
    if (!known) co_return std::unexpected{known.error()};
    if (known->status != "active") co_return refuse(Kind::tenant_not_active, "the tenant is suspended or not there");
    for (const DomainName& domain : {batch->from_domain, batch->sender.domain()})
        if (!known->verified.contains(domain.text()))
            co_return refuse(Kind::domain_not_verified,
                             fmt::format("{} is not a verified domain of this tenant", domain.text()));

    std::vector<StoredRecipient> recipients;
    std::vector<Refusal> refused = std::move(batch->refused);
    for (Candidate& one : batch->candidates) {
        if (known->suppressed.contains(one.recipient.to.folded()))
            refused.push_back(
                {one.index, one.recipient.to.text(), Refusal::Code::suppressed, "is on a suppression list"});
        else
            recipients.push_back(std::move(one.recipient));
    }
    std::ranges::sort(refused, {}, &Refusal::index);
    if (recipients.empty())
        co_return refuse(Kind::no_recipient_accepted, "every recipient was refused", std::move(refused));

    crash_point("submit.content.before");
    const Result<> stored = co_await store_content(*batch, now);
    if (!stored) co_return refuse(stored.error());
    crash_point("submit.content.after");
    crash_point("submit.batch.before");
    Answer answer = refuse(Kind::fault, "");
    answer = co_await store_batch(*batch, known->pool, std::move(recipients), std::move(refused), now);
    crash_point("submit.batch.after");
    co_return answer;
}

awaitable<std::expected<std::optional<Accepted>, BatchRefused>> Acceptance::earlier(TenantId tenant, std::string key,
                                                                                    std::string hash)
{
    const auto read = [&](db::Transaction& tx) { return tx.query(std::string{kFindByKey}, db::Params{tenant, key}); };
    const Result<db::Rows> rows = co_await db::as_tenant(database_.queue, tenant, read);
    if (!rows) co_return refuse(rows.error());
    if (rows->empty()) co_return std::nullopt;
    Answer again = answer_again(rows->front(), hash);
    if (!again) co_return std::unexpected{std::move(again.error())};
    co_return std::move(*again);
}

awaitable<std::expected<Acceptance::Standing, BatchRefused>> Acceptance::standing(const CheckedBatch& batch)
{
    const std::vector<std::string> domains{batch.from_domain.text(), batch.sender.domain().text()};
    std::vector<std::string> addresses;
    addresses.reserve(batch.candidates.size());
    for (const Candidate& one : batch.candidates) addresses.push_back(one.recipient.to.folded());
    const auto read = [&](db::Transaction& tx) -> awaitable<Result<std::vector<db::Rows>>> {
        std::vector<db::Statement> all;
        all.push_back({"select status, pool from control.tenants where id = $1", db::Params{batch.tenant}});
        all.push_back({"select name from control.domains where tenant_id = $1 and name = any($2::text[]) and verified "
                       "is not null",
                       db::Params{batch.tenant, domains}});
        all.push_back({"select address from control.suppressions where tenant_id = $1 and address = any($2::text[])"
                       " union select address from control.global_suppressions where address = any($2::text[])",
                       db::Params{batch.tenant, addresses}});
        Result<std::vector<db::Rows>> answers = co_await tx.query_all(std::move(all));
        co_return answers;
    };
    const Result<std::vector<db::Rows>> answers = co_await db::as_tenant(database_.control, batch.tenant, read);
    if (!answers) co_return refuse(answers.error());
    Standing known;
    for (const db::Row row : (*answers)[0]) {
        known.status = row.get<std::string>("status");
        known.pool = row.get<PoolName>("pool");
    }
    for (const db::Row row : (*answers)[1]) known.verified.emplace(row.text("name"));
    for (const db::Row row : (*answers)[2]) known.suppressed.emplace(row.text("address"));
    co_return known;
}

awaitable<Result<>> Acceptance::store_content(const CheckedBatch& batch, WallTime now)
{
    const auto write = [&](db::Transaction& tx) {
        return tx.query(std::string{kInsertContent},
                        db::Params{batch.tenant, batch.content, db::Bytes{batch.content_body},
                                   batch.content_json.size(), batch.expires + kContentKept, now});
    };
    const Result<db::Rows> written = co_await db::as_tenant(database_.content, batch.tenant, write);
    if (!written) co_return std::unexpected{written.error()};
    co_return Result<>{};
}

awaitable<Answer> Acceptance::store_batch(const CheckedBatch& batch, PoolName pool,
                                          std::vector<StoredRecipient> recipients, std::vector<Refusal> refused,
                                          WallTime now)
{
    const BatchId id{Uuid::v7(now)};
    const std::size_t total = recipients.size();
    std::optional<std::string> key;
    if (!batch.idempotency_key.empty()) key = batch.idempotency_key;
    std::optional<db::Bytes> packed_refusals;
    if (key && !refused.empty()) packed_refusals = db::Bytes{pack_refusals(refused)};
    const db::Params row{batch.tenant,
                         id,
                         pool,
                         batch.content,
                         batch.campaign,
                         batch.mailbox,
                         batch.sender.text(),
                         static_cast<int>(batch.prio),
                         batch.not_before,
                         batch.expires,
                         pack_recipients(recipients),
                         kChunk,
                         total,
                         key,
                         db::Bytes{batch.request_hash},
                         packed_refusals,
                         now};
    // Nothing comes back when the row is written, the earlier batch when its key was there first.
    const auto write = [&](db::Transaction& tx) -> awaitable<Result<std::optional<db::Rows>>> {
        const Result<db::Rows> written = co_await tx.query(std::string{kInsertBatch}, row);
        if (!written) co_return std::unexpected{written.error()};
        if (written->affected() == 1) co_return std::nullopt;
        Result<db::Rows> before =
            co_await tx.query(std::string{kFindByKey}, db::Params{batch.tenant, batch.idempotency_key});
        if (!before) co_return std::unexpected{before.error()};
        if (before->empty()) co_return fail(Errc::local_fault, "a batch with this idempotency key came and went");
        co_return std::move(*before);
    };
    const Result<std::optional<db::Rows>> before = co_await db::as_tenant(database_.queue, batch.tenant, write);
    if (!before) co_return refuse(before.error());
    if (*before) co_return answer_again((*before)->front(), batch.request_hash);
    co_return Accepted{id, total, std::move(refused), false};
}

} // namespace penguin::control::submit
