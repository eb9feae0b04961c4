#include "engine/queue/entry.h"

#include "engine/queue/base64.h"
#include "engine/queue/json_fields.h"
#include "engine/queue/json_text.h"

namespace penguin::queue {

namespace json = boost::json;

namespace {

constexpr std::int64_t kAttemptMax = 100'000;
constexpr std::size_t kVarsMax = 1000;  // variables
constexpr std::size_t kAvoidMax = 1000; // nodes

template <class Id>
Result<Id> parse_id(std::string_view text)
{
    const Result<Uuid> uuid = Uuid::parse(text);
    if (!uuid) return std::unexpected{uuid.error()};
    return Id{*uuid};
}

bool has_bare_line_end(std::string_view message)
{
    for (std::size_t i = 0; i < message.size(); ++i) {
        if (message[i] == '\n' && (i == 0 || message[i - 1] != '\r')) return true;
        if (message[i] == '\r' && (i + 1 == message.size() || message[i + 1] != '\n')) return true;
    }
    return false;
}

Result<std::string> parse_raw(std::string_view text)
{
    if (text.size() > (kRawMax + 2) / 3 * 4)
        return fail(Errc::too_long, "at most " + std::to_string(kRawMax) + " octets before base64");
    Result<std::string> raw = parse_base64(text);
    if (!raw) return raw;
    if (raw->size() > kRawMax)
        return fail(Errc::too_long, "at most " + std::to_string(kRawMax) + " octets before base64");
    if (raw->empty()) return fail(Errc::bad_value, "must not be empty");
    if (has_bare_line_end(*raw)) return fail(Errc::bad_value, "each line must end in CRLF");
    return raw;
}

Result<std::string> parse_content_name(std::string_view text)
{
    const bool hex = text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
    if (text.size() != 64 || !hex) return fail(Errc::bad_value, "must be a SHA-256 in 64 lower-case hex digits");
    return std::string{text};
}

bool is_plain(const json::value& value) { return value.is_string() || value.is_number() || value.is_bool(); }

void read_vars(JsonFields& fields, Entry& entry)
{
    const json::object* vars = fields.object("vars");
    if (vars == nullptr || vars->empty()) return;
    if (vars->size() > kVarsMax) return fields.refuse("vars", "at most 1000 variables", Errc::too_long);
    for (const auto& [name, value] : *vars)
        if (!is_plain(value)) return fields.refuse("vars", "values are strings, numbers, true or false");
    entry.vars = json::serialize(*vars);
}

void read_avoid(JsonFields& fields, Entry& entry)
{
    const json::object* avoid = fields.object("avoid");
    if (avoid == nullptr) return;
    if (avoid->size() > kAvoidMax) return fields.refuse("avoid", "at most 1000 nodes", Errc::too_long);
    for (const auto& [node, until] : *avoid) {
        const std::int64_t* ms = until.if_int64();
        if (ms == nullptr || *ms < 0 || *ms > kTimeMax)
            return fields.refuse("avoid", "values are times in milliseconds");
        entry.avoid.emplace(node, from_unix_ms(*ms));
    }
}

// MessageId and EmailAddress have rules of their own and so no empty value to go on with.
Result<Entry> read(JsonFields& fields)
{
    const std::int64_t version = fields.required("v", fields.integer("v", 1, 1));
    (void)version;
    const MessageId id = fields.required("id", fields.parsed("id", MessageId::parse));
    const TenantId tenant = fields.required("tenant", fields.parsed("tenant", parse_id<TenantId>));
    std::optional<EmailAddress> to = fields.parsed("to", EmailAddress::parse);
    fields.need("to", to.has_value());
    if (!to) return std::unexpected{fields.finish().error()};

    Entry entry{.id = id, .tenant = tenant, .to = std::move(*to)};
    entry.campaign = fields.parsed("campaign", parse_id<CampaignId>);
    entry.mailbox = fields.parsed("mailbox", parse_id<MailboxId>);
    entry.from = fields.parsed("from", EmailAddress::parse);
    entry.content = fields.parsed("content", parse_content_name).value_or("");
    entry.raw = fields.parsed("raw", parse_raw).value_or("");
    if (entry.content.empty() == entry.raw.empty())
        fields.refuse("content", "exactly one of content and raw must be there", Errc::missing);
    read_vars(fields, entry);
    entry.prio = static_cast<Priority>(fields.integer("prio", 0, 2).value_or(1));
    entry.not_before = fields.time("not_before");
    entry.expires = fields.time("expires");
    entry.attempt = static_cast<unsigned>(fields.integer("attempt", 0, kAttemptMax).value_or(0));
    entry.queued = fields.time("queued").value_or(WallTime{});
    read_avoid(fields, entry);
    const Result<> fine = fields.finish();
    if (!fine) return std::unexpected{fine.error()};
    return entry;
}

std::string avoid_json(const std::map<std::string, WallTime>& avoid)
{
    JsonObject out;
    for (const auto& [node, until] : avoid) out.number(node, to_unix_ms(until));
    return std::move(out).finish();
}

} // namespace

Result<Entry> Entry::parse(std::string_view json)
{
    if (json.size() > kEntryMax)
        return fail(Errc::too_long, "the entry: at most " + std::to_string(kEntryMax) + " octets");
    const Result<json::object> object = parse_object(json);
    if (!object) return std::unexpected{object.error()};
    JsonFields fields{*object};
    return read(fields);
}

std::string Entry::to_json() const
{
    JsonObject out;
    if (!avoid.empty()) out.json("avoid", avoid_json(avoid)); // first, then v, then id: the scripts look there
    out.number("v", 1).text("id", id.text()).text("tenant", tenant.value().text());
    if (campaign) out.text("campaign", campaign->value().text());
    if (mailbox) out.text("mailbox", mailbox->value().text());
    if (from) out.text("from", from->text());
    out.text("to", to.text());
    if (raw.empty())
        out.text("content", content);
    else
        out.text("raw", base64(raw));
    if (!vars.empty()) out.json("vars", vars);
    out.number("prio", static_cast<int>(prio));
    if (not_before) out.number("not_before", to_unix_ms(*not_before));
    if (expires) out.number("expires", to_unix_ms(*expires));
    if (attempt != 0) out.number("attempt", attempt);
    out.number("queued", to_unix_ms(queued));
    return std::move(out).finish();
}

} // namespace penguin::queue
