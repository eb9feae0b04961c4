#include "engine/queue/event.h"

#include "engine/queue/event_fields.h"
#include "engine/queue/json_text.h"

namespace penguin::queue {

namespace {

constexpr std::size_t kIdMax = 256;    // octets
constexpr std::size_t kTextMax = 1024; // octets of any other text
constexpr std::size_t kWarmupMax = 64; // octets
constexpr std::int64_t kNumberMax = 1'000'000'000;
constexpr std::int64_t kLatencyMax = 100LL * 366 * 24 * 3600 * 1000;

constexpr std::string_view kKinds[] = {"delivered", "deferred", "bounced", "expired", "suppressed", "cancelled"};

template <class Id>
Result<Id> parse_id(std::string_view text)
{
    const Result<Uuid> uuid = Uuid::parse(text);
    if (!uuid) return std::unexpected{uuid.error()};
    return Id{*uuid};
}

// Three times what is written: U+FFFD in place of an octet takes three.
std::string text_of(JsonFields& fields, std::string_view name, std::size_t most)
{
    const std::string_view text = fields.text(name).value_or("");
    if (text.size() > 3 * most) fields.refuse(name, "at most " + std::to_string(most) + " octets", Errc::too_long);
    return std::string{text.substr(0, 3 * most)};
}

// Cuts between characters, so that what is stored stays UTF-8.
std::string_view cut(std::string_view text, std::size_t most)
{
    if (text.size() <= most) return text;
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
    return text.substr(0, most);
}

void add_text(JsonObject& out, std::string_view name, std::string_view value, std::size_t most)
{
    if (!value.empty()) out.text(name, cut(value, most));
}

} // namespace

std::string_view name_of(EventKind kind) { return kKinds[static_cast<std::size_t>(kind)]; }

Result<EventKind> parse_event_kind(std::string_view text)
{
    for (std::size_t i = 0; i < std::size(kKinds); ++i)
        if (kKinds[i] == text) return static_cast<EventKind>(i);
    return fail(Errc::bad_value, "no such kind of event");
}

Result<Event> event_of(const boost::json::object& object)
{
    JsonFields fields{object};
    Event event;
    event.id = text_of(fields, "id", kIdMax);
    fields.need("id", !event.id.empty());
    event.message = fields.required("message", fields.parsed("message", MessageId::parse));
    event.tenant = fields.required("tenant", fields.parsed("tenant", parse_id<TenantId>));
    event.campaign = fields.parsed("campaign", parse_id<CampaignId>);
    event.mailbox = fields.parsed("mailbox", parse_id<MailboxId>);
    event.recipient = text_of(fields, "to", kTextMax);
    event.kind = fields.required("kind", fields.parsed("kind", parse_event_kind));
    event.at = fields.required("at", fields.time("at"));
    event.attempt = static_cast<unsigned>(fields.integer("attempt", 0, kNumberMax).value_or(0));
    event.klass = text_of(fields, "class", kTextMax);
    event.rule = text_of(fields, "rule", kTextMax);
    event.phase = text_of(fields, "phase", kTextMax);
    event.code = static_cast<int>(fields.integer("code", 0, 599).value_or(0));
    event.enhanced = text_of(fields, "enhanced", kTextMax);
    event.reply = text_of(fields, "reply", Event::kReplyMax);
    event.site = text_of(fields, "site", kTextMax);
    event.source = text_of(fields, "source", kTextMax);
    event.remote = text_of(fields, "remote", kTextMax);
    event.tls = fields.truth("tls").value_or(false);
    event.may_be_duplicate = fields.truth("may_be_duplicate").value_or(false);
    event.latency_ms = fields.integer("latency", 0, kLatencyMax).value_or(0);
    event.next = fields.time("next");
    event.suppress = fields.truth("suppress").value_or(false);
    event.warmup = text_of(fields, "warmup", kWarmupMax);
    event.late = fields.truth("late").value_or(false);
    const Result<> fine = fields.finish();
    if (!fine) return std::unexpected{fine.error()};
    return event;
}

Result<Event> Event::parse(std::string_view json)
{
    const Result<boost::json::object> object = parse_object(json);
    if (!object) return std::unexpected{object.error()};
    return event_of(*object);
}

std::string Event::to_json() const
{
    JsonObject out;
    out.text("id", id).text("message", message.text()).text("tenant", tenant.value().text());
    if (campaign) out.text("campaign", campaign->value().text());
    if (mailbox) out.text("mailbox", mailbox->value().text());
    add_text(out, "to", recipient, kTextMax);
    out.text("kind", name_of(kind)).number("at", to_unix_ms(at));
    if (attempt != 0) out.number("attempt", attempt);
    add_text(out, "class", klass, kTextMax);
    add_text(out, "rule", rule, kTextMax);
    add_text(out, "phase", phase, kTextMax);
    if (code != 0) out.number("code", code);
    add_text(out, "enhanced", enhanced, kTextMax);
    add_text(out, "reply", reply, kReplyMax);
    add_text(out, "site", site, kTextMax);
    add_text(out, "source", source, kTextMax);
    add_text(out, "remote", remote, kTextMax);
    if (tls) out.truth("tls", true);
    if (may_be_duplicate) out.truth("may_be_duplicate", true);
    if (latency_ms > 0) out.number("latency", latency_ms < kLatencyMax ? latency_ms : kLatencyMax);
    if (next) out.number("next", to_unix_ms(*next));
    if (suppress) out.truth("suppress", true);
    add_text(out, "warmup", warmup, kWarmupMax);
    if (late) out.truth("late", true);
    return std::move(out).finish();
}

} // namespace penguin::queue
