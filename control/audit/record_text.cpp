#include "control/audit/record_text.h"

#include <algorithm>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "control/json/strict_json.h"

namespace penguin::control::audit {

namespace {

namespace json = boost::json;

// to_rfc3339 has milliseconds.
std::string time_text(WallTime time)
{
    std::string text = to_rfc3339(time);
    const auto rest = (time - std::chrono::floor<std::chrono::milliseconds>(time)).count();
    text.insert(text.size() - 1, fmt::format("{:03}", rest));
    return text;
}

Result<std::optional<TenantId>> tenant_of(const json::object& object)
{
    const json::value* value = object.if_contains("tenant_id");
    if (value != nullptr && value->is_null()) return std::nullopt;
    const Result<Uuid> id = Uuid::parse(text_member(object, "tenant_id").value_or(""));
    if (!id) return std::unexpected{id.error()};
    return TenantId{*id};
}

} // namespace

AuditRecord record_of(const db::Row& row)
{
    AuditRecord record{.seq = row.get<std::int64_t>("seq"),
                       .entry = {.time = row.get<WallTime>("time"),
                                 .action = row.get<std::string>("action"),
                                 .actor = row.get<std::string>("actor"),
                                 .tenant = row.get<std::optional<TenantId>>("tenant_id"),
                                 .resource = row.get<std::string>("resource"),
                                 .peer = row.get<std::string>("peer"),
                                 .request_id = row.get<std::string>("request_id"),
                                 .detail = row.get<std::string>("detail")},
                       .hash = {}};
    const std::string octets = row.get<db::Bytes>("hash").value;
    std::copy_n(octets.begin(), std::min(octets.size(), record.hash.size()), record.hash.begin());
    return record;
}

json::object shape_of(const AuditRecord& record)
{
    const db::AuditEntry& entry = record.entry;
    return {
        {"seq", record.seq},
        {"time", time_text(entry.time)},
        {"action", entry.action},
        {"actor", entry.actor},
        {"tenant_id", entry.tenant ? json::value(json::string(entry.tenant->value().text())) : json::value(nullptr)},
        {"resource", entry.resource},
        {"peer", entry.peer},
        {"request_id", entry.request_id},
        {"detail", entry.detail},
        {"hash", hex_of(record.hash)}};
}

std::string line_of(const AuditRecord& record) { return json::serialize(shape_of(record)); }

Result<AuditRecord> parse_record(std::string_view line)
{
    const auto document = parse_strict_json(line, {.depth = 2, .values = 32});
    if (!document || !document->is_object()) return fail(Errc::malformed, "not one JSON object");
    const json::object& object = document->get_object();
    AuditRecord record;
    const json::value* seq = object.if_contains("seq");
    if (seq == nullptr || !seq->is_int64()) return fail(Errc::malformed, "seq is no whole number");
    record.seq = seq->get_int64();
    const Result<std::optional<TenantId>> tenant = tenant_of(object);
    if (!tenant) return fail(Errc::malformed, "tenant_id is no UUID");
    record.entry.tenant = *tenant;
    const Result<WallTime> time = parse_rfc3339(text_member(object, "time").value_or(""));
    if (!time) return fail(Errc::malformed, "time is no RFC 3339 time");
    record.entry.time = *time;
    const Result<Hash> hash = parse_hash(text_member(object, "hash").value_or(""));
    if (!hash) return std::unexpected{hash.error()};
    record.hash = *hash;
    for (const auto& [name, field] :
         {std::pair{"action", &record.entry.action}, std::pair{"actor", &record.entry.actor},
          std::pair{"resource", &record.entry.resource}, std::pair{"peer", &record.entry.peer},
          std::pair{"request_id", &record.entry.request_id}, std::pair{"detail", &record.entry.detail}}) {
        const auto text = text_member(object, name);
        if (!text) return fail(Errc::malformed, fmt::format("{} is no text", name));
        *field = *text;
    }
    // A second way to write the same record would be a place where something is told that no hash covers.
    if (shape_of(record) != object) return fail(Errc::malformed, "not as we write it");
    return record;
}

} // namespace penguin::control::audit
