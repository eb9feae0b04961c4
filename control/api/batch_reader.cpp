#include "control/api/batch_reader.h"

#include <algorithm>

#include <fmt/format.h>

#include "control/api/names.h"
#include "engine/mail/recipient_zone.h"

namespace penguin::control::api {

namespace {

using Objects = const json::array*;

// Calls `read` with a reader of each element, which must be an object.
template <class Read>
void each_object(ObjectReader& body, std::string_view field, Objects array, Read read)
{
    if (array == nullptr) return;
    for (std::size_t i = 0; i < array->size(); ++i) {
        http::Path path = body.path_of(field);
        path.index = i;
        const json::object* object = (*array)[i].if_object();
        if (object == nullptr) {
            body.issues().add(path.text(), "wrong_type", "must be an object");
            continue;
        }
        ObjectReader element{*object, body.issues(), path, body.nulls()};
        read(element);
        element.finish();
    }
}

std::vector<Attachment> read_attachments(ObjectReader& body)
{
    std::vector<Attachment> attachments;
    each_object(body, "attachments", body.optional_array("attachments", kAttachmentsMax), [&](ObjectReader& element) {
        attachments.push_back(
            Attachment{.file_name = std::string{element.text("file_name", {.min = 1, .max = 255})},
                       .content_type = std::string{element.text("content_type", {.min = 1, .max = 255})},
                       .data = read_base64(element, "data", kContentMax),
                       .content_id = std::string{element.optional_text("content_id", {.max = 255}).value_or("")}});
    });
    return attachments;
}

std::optional<Content> read_template(const json::object& object, ObjectReader& batch)
{
    ObjectReader body{object, batch.issues(), batch.path_of("template")};
    const auto dialect = body.optional_text("dialect", {.max = 64});
    std::optional<NamedAddress> from = read_named_address(body, "from", true);
    std::optional<NamedAddress> reply_to = read_named_address(body, "reply_to", false);
    std::string subject{body.text("subject", kContentText)};
    const auto text = body.optional_text("text", kContentText);
    const auto html = body.optional_text("html", kContentText);
    auto headers = read_headers(body, "headers");
    std::vector<Attachment> attachments = read_attachments(body);
    const auto list_unsubscribe = body.optional_text("list_unsubscribe", {.max = 4'096});
    const json::object defaults = read_flat(body, "defaults");
    const bool strict = body.boolean("strict", false);
    body.finish();
    if (!text && !html) body.issue("text", "required", "one of text and html is required");
    if (!from || (dialect && *dialect != "mustache")) return std::nullopt;
    TemplateContent content{.from = std::move(*from),
                            .reply_to = std::move(reply_to),
                            .subject = std::move(subject),
                            .text = std::string{text.value_or("")},
                            .html = std::string{html.value_or("")},
                            .headers = std::move(headers),
                            .attachments = std::move(attachments),
                            .list_unsubscribe = std::string{list_unsubscribe.value_or("")},
                            .defaults = {},
                            .strict = strict};
    for (const auto& [name, value] : defaults) content.defaults.emplace_back(std::string{name}, plain_text(value));
    return content;
}

std::optional<Content> read_raw(const json::object& object, ObjectReader& batch)
{
    ObjectReader body{object, batch.issues(), batch.path_of("raw")};
    const bool base64 = body.word("encoding", {"text", "base64"}).value_or(0) == 1;
    std::string message =
        base64 ? read_base64(body, "message", kContentMax) : std::string{body.text("message", kContentText)};
    const bool variables = body.boolean("variables", false);
    const bool strict = body.boolean("strict", false);
    body.finish();
    if (!body.issues().empty()) return std::nullopt;
    Result<RawContent> content = raw_from_client(message);
    if (!content) {
        body.issue("message", content.error().code == Errc::too_long ? "too_long" : "bad_value",
                   content.error().detail);
        return std::nullopt;
    }
    content->has_variables = variables;
    content->strict = strict;
    return std::move(*content);
}

std::optional<Content> read_content(ObjectReader& body)
{
    const json::object* of_template = body.optional_object("template");
    const json::object* raw = body.optional_object("raw");
    if (of_template != nullptr && raw == nullptr) return read_template(*of_template, body);
    if (raw != nullptr && of_template == nullptr) return read_raw(*raw, body);
    if (raw != nullptr)
        body.issue("raw", "bad_value", "template and raw exclude each other");
    else if (!body.has("template") && !body.has("raw"))
        body.issue("template", "required", "one of template and raw is required");
    return std::nullopt;
}

std::vector<submit::Recipient> read_recipients(ObjectReader& body)
{
    std::vector<submit::Recipient> recipients;
    const json::array* array = body.array("recipients", 1, submit::kRecipientsMax);
    if (array != nullptr) recipients.reserve(array->size());
    each_object(body, "recipients", array, [&](ObjectReader& element) {
        json::object variables = read_flat(element, "variables");
        if (const auto zone = read_time_zone(element, "time_zone"))
            variables[json::string_view{kZoneVariable.data(), kZoneVariable.size()}] = json::string{zone->name()};
        recipients.push_back(
            submit::Recipient{.email = std::string{element.text("email", {.max = 1'024})},
                              .name = std::string{element.optional_text("name", {.max = kNameMax}).value_or("")},
                              .vars = variables_text(variables)});
    });
    return recipients;
}

// A dialect that we do not speak is refused before anything else is said of the body: the rest may be right in it.
std::optional<Problem> foreign_dialect(const json::object& object)
{
    const json::value* content = object.if_contains("template");
    const json::value* dialect =
        content != nullptr && content->is_object() ? content->get_object().if_contains("dialect") : nullptr;
    if (dialect == nullptr || !dialect->is_string() || dialect->get_string() == "mustache") return std::nullopt;
    return Problem{.code = Code::unsupported_template_dialect,
                   .detail = fmt::format("The template dialect {:.64} is not spoken here; mustache is.",
                                         text_of(dialect->get_string()))};
}

std::string read_idempotency_key(const Request& request, Issues& issues)
{
    const auto key = request.header("Idempotency-Key");
    if (!key) return {};
    const bool visible = std::ranges::all_of(*key, [](char c) { return c > ' ' && c < 0x7F; });
    if (!key->empty() && key->size() <= submit::kIdempotencyKeyMax && visible) return std::string{*key};
    issues.add("Idempotency-Key", "bad_format",
               fmt::format("must be 1 to {} visible ASCII characters", submit::kIdempotencyKeyMax));
    return {};
}

} // namespace

std::expected<submit::BatchRequest, Problem> read_batch(const Request& request)
{
    const auto document = http::parse_json(request.body);
    if (!document) return Refused{document.error()};
    const auto object = http::object_of(*document);
    if (!object) return Refused{object.error()};
    if (auto problem = foreign_dialect(**object)) return Refused{std::move(*problem)};

    Issues issues;
    ObjectReader body{**object, issues};
    std::optional<Content> content = read_content(body);
    std::vector<submit::Recipient> recipients = read_recipients(body);
    const auto campaign = body.optional_uuid("campaign_id");
    const auto mailbox = body.optional_uuid("mailbox_id");
    const auto prio = body.word("priority", {"high", "normal", "low"});
    const auto not_before = body.optional_time("not_before");
    const auto expires = body.optional_time("expires_at");
    body.finish();
    std::string idempotency_key = read_idempotency_key(request, issues);
    if (!issues.empty()) return Refused{std::move(issues).problem()};
    submit::BatchRequest batch{.tenant = *request.principal->tenant,
                               .content = std::move(*content),
                               .sender = std::nullopt,
                               .campaign = std::nullopt,
                               .mailbox = std::nullopt,
                               .prio = static_cast<queue::Priority>(prio.value_or(1)),
                               .not_before = not_before,
                               .expires = expires,
                               .recipients = std::move(recipients),
                               .idempotency_key = std::move(idempotency_key)};
    if (campaign) batch.campaign = CampaignId{*campaign};
    if (mailbox) batch.mailbox = MailboxId{*mailbox};
    return batch;
}

} // namespace penguin::control::api
