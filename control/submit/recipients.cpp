#include "control/submit/recipients.h"

#include <boost/json.hpp>

#include "control/db/compression.h"
#include "control/db/tenancy.h"

namespace penguin::control::submit {

namespace json = boost::json;

std::vector<db::Bytes> pack_recipients(const std::vector<StoredRecipient>& recipients)
{
    std::vector<db::Bytes> chunks;
    for (std::size_t at = 0; at < recipients.size(); at += kChunk) {
        std::string text = "[";
        for (std::size_t i = at; i < std::min(at + kChunk, recipients.size()); ++i) {
            if (i > at) text += ',';
            const StoredRecipient& one = recipients[i];
            text +=
                "[" + json::serialize(json::string{one.to.text()}) + "," + (one.vars.empty() ? "{}" : one.vars) + "]";
        }
        text += ']';
        chunks.push_back({db::compress(text)});
    }
    return chunks;
}

Result<std::vector<StoredRecipient>> unpack_chunk(std::string_view chunk)
{
    const Result<std::string> text = db::decompress(chunk, kChunkOctetsMax);
    if (!text) return fail(text.error(), "recipients of a batch");
    boost::system::error_code code;
    const json::value value = json::parse(*text, code);
    if (code || !value.is_array()) return fail(Errc::malformed, "recipients of a batch: not a JSON array");
    std::vector<StoredRecipient> recipients;
    for (const json::value& row : value.get_array()) {
        if (!row.is_array() || row.get_array().size() != 2 || !row.get_array()[0].is_string() ||
            !row.get_array()[1].is_object())
            return fail(Errc::malformed, "recipients of a batch: not [address, variables]");
        Result<EmailAddress> to = EmailAddress::parse(row.get_array()[0].get_string());
        if (!to) return fail(to.error(), "recipients of a batch");
        const json::object& vars = row.get_array()[1].get_object();
        recipients.push_back({std::move(*to), vars.empty() ? "" : json::serialize(vars)});
    }
    return recipients;
}

awaitable<Result<StoredRecipient>> find_recipient(db::PgPool& queue, TenantId tenant, MessageId id)
{
    const auto read = [&](db::Transaction& tx) -> awaitable<Result<StoredRecipient>> {
        const Result<db::Rows> rows = co_await tx.query(
            "select recipients[$3::integer / chunk_size + 1] as chunk, $3::integer % chunk_size as place"
            " from queue.batches where tenant_id = $1 and id = $2 and total > $3::integer",
            db::Params{tenant, id.batch, id.index});
        if (!rows) co_return std::unexpected{rows.error()};
        if (rows->empty()) co_return fail(Errc::not_found, "no such message");
        Result<std::vector<StoredRecipient>> all = unpack_chunk(rows->front().get<db::Bytes>("chunk").value);
        if (!all) co_return std::unexpected{all.error()};
        const auto place = rows->front().get<std::size_t>("place");
        if (place >= all->size()) co_return fail(Errc::malformed, "recipients of a batch: fewer than it says");
        co_return std::move((*all)[place]);
    };
    Result<StoredRecipient> found = co_await db::as_tenant(queue, tenant, read);
    co_return found;
}

} // namespace penguin::control::submit
