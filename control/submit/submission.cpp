#include "control/submit/submission.h"

#include <algorithm>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "control/db/compression.h"
#include "engine/mail/recipient_zone.h"

namespace penguin::control::submit {

namespace json = boost::json;

namespace {

using Kind = BatchRefused::Kind;

constexpr std::size_t kRefusalsOctetsMax = 64 * 1024 * 1024; // their JSON, of kRecipientsMax recipients

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

// In the order of the ids, so that two groups with the same contents wait for each other instead of locking up.
constexpr const char* kInsertContents =
    "insert into content.contents (tenant_id, id, body, size, retained_until, created)"
    " select $1::uuid, c.* from unnest($2::text[], $3::bytea[], $4::integer[], $5::timestamptz[], $6::timestamptz[]) "
    "as c"
    " on conflict (tenant_id, id) do update"
    " set retained_until = greatest(content.contents.retained_until, excluded.retained_until)";

// The chunks of all batches come in one array ($12); a batch's begin at `at`.
constexpr const char* kInsertBatches =
    "insert into queue.batches (tenant_id, pool, chunk_size, id, content_id, campaign_id, mailbox_id, sender, prio,"
    " not_before, expires, recipients, total, idempotency_key, request_hash, refused, created)"
    " select $1::uuid, $2, $3::integer, b.id, b.content_id, b.campaign_id, b.mailbox_id, b.sender, b.prio, "
    "b.not_before, b.expires,"
    " ($12::bytea[])[b.at:b.at + b.chunks - 1], b.total, b.key, b.hash, b.refused, b.created"
    " from unnest($4::uuid[], $5::text[], $6::uuid[], $7::uuid[], $8::text[], $9::smallint[], $10::timestamptz[],"
    " $11::timestamptz[], $13::integer[], $14::integer[], $15::integer[], $16::text[], $17::bytea[], $18::bytea[],"
    " $19::timestamptz[]) as b(id, content_id, campaign_id, mailbox_id, sender, prio, not_before, expires, at, chunks,"
    " total, key, hash, refused, created)"
    " on conflict do nothing returning id";

TenantId tenant_of(const Group& group) { return group.front()->batch.tenant; }

template <class Read>
auto column(const Group& group, Read read)
{
    std::vector<decltype(read(*group.front()))> values;
    values.reserve(group.size());
    for (const Submission* one : group) values.push_back(read(*one));
    return values;
}

std::optional<std::string> key_of(const Submission& one)
{
    if (one.batch.idempotency_key.empty()) return std::nullopt;
    return one.batch.idempotency_key;
}

// Kept for the same answer to the same request; without a key nobody can ask again.
std::optional<db::Bytes> refusals_of(const Submission& one)
{
    if (one.batch.idempotency_key.empty() || one.batch.refused.empty()) return std::nullopt;
    return db::Bytes{pack_refusals(one.batch.refused)};
}

// A message lives no longer than kLifeDefault unless an operator set another life; what it may do beyond that nobody can promise.
bool opens_in_time(const policy::SendingWindow& window, const Submission& one, const StoredRecipient& recipient)
{
    const WallTime start = std::max(one.now, one.batch.not_before.value_or(one.now));
    const auto own = window.of_recipients ? recipient_zone(recipient.vars) : std::nullopt;
    return window.opens(own.value_or(window.zone), start) < std::min(one.batch.expires, start + kLifeDefault);
}

} // namespace

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

std::vector<db::Statement> standing_statements(const Group& group)
{
    std::vector<std::string> domains;
    std::vector<std::string> addresses;
    std::vector<CampaignId> campaigns;
    for (const Submission* one : group) {
        if (one->batch.campaign) campaigns.push_back(*one->batch.campaign);
        domains.push_back(one->batch.from_domain.text());
        domains.push_back(one->batch.sender.domain().text());
        for (const Candidate& each : one->batch.candidates) addresses.push_back(each.recipient.to.folded());
    }
    std::ranges::sort(domains);
    domains.erase(std::ranges::unique(domains).begin(), domains.end());
    const TenantId tenant = tenant_of(group);
    std::vector<db::Statement> all;
    all.push_back({"select status, pool from control.tenants where id = $1", db::Params{tenant}});
    all.push_back({"select name from control.domains where tenant_id = $1 and name = any($2::text[])"
                   " and verified is not null",
                   db::Params{tenant, domains}});
    all.push_back({"select address from control.suppressions where tenant_id = $1 and address = any($2::text[])"
                   " union all select address from control.global_suppressions where address = any($2::text[])",
                   db::Params{tenant, addresses}});
    if (!campaigns.empty())
        all.push_back({"select id, state, sending_window from control.campaigns where tenant_id = $1"
                       " and id = any($2::uuid[]) and (state = 'cancelled' or sending_window is not null)",
                       db::Params{tenant, campaigns}});
    return all;
}

Standing standing_in(const std::vector<db::Rows>& answers)
{
    Standing known;
    for (const db::Row row : answers.at(0)) {
        known.status = row.get<std::string>("status");
        known.pool = row.get<PoolName>("pool");
    }
    for (const db::Row row : answers.at(1)) known.verified.emplace(row.text("name"));
    for (const db::Row row : answers.at(2)) known.suppressed.emplace(row.text("address"));
    if (answers.size() <= 3) return known;
    for (const db::Row row : answers.at(3)) {
        const auto campaign = row.get<CampaignId>("id");
        if (row.text("state") == "cancelled") known.cancelled.insert(campaign);
        const auto text = row.get<std::optional<std::string>>("sending_window");
        const auto window = text ? policy::SendingWindow::parse(*text) : fail(Errc::missing, "none");
        if (window) known.windows.emplace(campaign, *window);
    }
    return known;
}

void judge(Submission& one, const Standing& known)
{
    CheckedBatch& batch = one.batch;
    if (known.status != "active") {
        one.answer = refuse(Kind::tenant_not_active, "the tenant is suspended or not there");
        return;
    }
    for (const DomainName& domain : {batch.from_domain, batch.sender.domain()}) {
        if (known.verified.contains(domain.text())) continue;
        one.answer =
            refuse(Kind::domain_not_verified, fmt::format("{} is not a verified domain of this tenant", domain.text()));
        return;
    }
    if (batch.campaign && known.cancelled.contains(*batch.campaign)) {
        one.answer = refuse_field("campaign_id", "the campaign is cancelled, which is final");
        return;
    }
    const auto window = batch.campaign ? known.windows.find(*batch.campaign) : known.windows.end();
    std::vector<StoredRecipient> recipients;
    for (Candidate& each : batch.candidates) {
        if (known.suppressed.contains(each.recipient.to.folded()))
            batch.refused.push_back(
                {each.index, each.recipient.to.text(), Refusal::Code::suppressed, "is on a suppression list"});
        else if (window != known.windows.end() && !opens_in_time(window->second, one, each.recipient))
            batch.refused.push_back({each.index, each.recipient.to.text(), Refusal::Code::outside_window,
                                     "the campaign's sending window does not open before the message expires"});
        else
            recipients.push_back(std::move(each.recipient));
    }
    std::ranges::sort(batch.refused, {}, &Refusal::index);
    if (recipients.empty()) {
        one.answer = refuse(Kind::no_recipient_accepted, "every recipient was refused", std::move(batch.refused));
        return;
    }
    one.total = recipients.size();
    one.chunks = pack_recipients(recipients);
}

db::Statement content_statement(const Group& group)
{
    // Equal contents are one row, kept as long as the last of them needs it.
    std::map<ContentId, const Submission*> last;
    for (const Submission* one : group) {
        const auto [place, added] = last.try_emplace(one->batch.content, one);
        if (!added && place->second->batch.expires < one->batch.expires) place->second = one;
    }
    std::vector<ContentId> ids;
    std::vector<db::BytesView> bodies;
    std::vector<std::size_t> sizes;
    std::vector<WallTime> until;
    std::vector<WallTime> created;
    for (const auto& [id, one] : last) {
        ids.push_back(id);
        bodies.push_back({one->batch.content_body});
        sizes.push_back(one->batch.content_size);
        until.push_back(one->batch.expires + kContentKept);
        created.push_back(one->now);
    }
    return {kInsertContents, db::Params{tenant_of(group), ids, bodies, sizes, until, created}};
}

db::Statement batch_statement(const Group& group, const PoolName& pool)
{
    std::vector<db::BytesView> chunks;
    std::vector<std::size_t> at;
    for (const Submission* one : group) {
        at.push_back(chunks.size() + 1);
        for (const db::Bytes& chunk : one->chunks) chunks.push_back({chunk.value});
    }
    db::Params params{tenant_of(group), pool, kChunk};
    params.add(column(group, [](const Submission& one) { return one.id; }));
    params.add(column(group, [](const Submission& one) { return one.batch.content; }));
    params.add(column(group, [](const Submission& one) { return one.batch.campaign; }));
    params.add(column(group, [](const Submission& one) { return one.batch.mailbox; }));
    params.add(column(group, [](const Submission& one) { return one.batch.sender.text(); }));
    params.add(column(group, [](const Submission& one) { return static_cast<int>(one.batch.prio); }));
    params.add(column(group, [](const Submission& one) { return one.batch.not_before; }));
    params.add(column(group, [](const Submission& one) { return one.batch.expires; }));
    params.add(chunks);
    params.add(at);
    params.add(column(group, [](const Submission& one) { return one.chunks.size(); }));
    params.add(column(group, [](const Submission& one) { return one.total; }));
    params.add(column(group, key_of));
    params.add(column(group, [](const Submission& one) { return db::BytesView{one.batch.request_hash}; }));
    params.add(column(group, refusals_of));
    params.add(column(group, [](const Submission& one) { return one.now; }));
    return {kInsertBatches, std::move(params)};
}

db::Statement find_by_key(const Group& group)
{
    return {"select id, total, request_hash, refused, idempotency_key from queue.batches"
            " where tenant_id = $1 and idempotency_key = any($2::text[])",
            db::Params{tenant_of(group), column(group, key_of)}};
}

db::Statement find_by_id(const Group& group)
{
    return {"select id from queue.batches where tenant_id = $1 and id = any($2::uuid[])",
            db::Params{tenant_of(group), column(group, [](const Submission& one) { return one.id; })}};
}

std::string key_in(const db::Row& row) { return row.get<std::string>("idempotency_key"); }

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

} // namespace penguin::control::submit
