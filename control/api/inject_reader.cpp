#include "control/api/inject_reader.h"

#include <fmt/format.h>

namespace penguin::control::api {

namespace {

using http::Nulls;

enum class Dialect : std::uint8_t { unnamed, mustache, fixed };

Problem unsupported(std::string_view dialect)
{
    return Problem{
        .code = Code::unsupported_template_dialect,
        .detail = fmt::format("The template dialect {:.64} is not spoken here; Mustache and Static are.", dialect)};
}

std::expected<Dialect, Problem> read_dialect(ObjectReader& body)
{
    const auto name = body.optional_text("template_dialect", {.max = 64});
    if (!name) return Dialect::unnamed;
    if (*name == "Mustache") return Dialect::mustache;
    if (*name == "Static") return Dialect::fixed;
    return Refused{unsupported(*name)};
}

// What stands in `text` in the light of the dialect. Jinja is KumoMTA's default, so its statements come without a name.
std::optional<Problem> check_dialect(std::string_view text, Dialect dialect)
{
    if (dialect == Dialect::unnamed && text.contains("{%")) return unsupported("Jinja ({% ... %} in the content)");
    return std::nullopt;
}

std::optional<Content> raw_content(ObjectReader& body, std::string_view message, Dialect dialect)
{
    Result<RawContent> content = raw_from_client(message);
    if (!content) {
        body.issue("content", content.error().code == Errc::too_long ? "too_long" : "bad_value",
                   content.error().detail);
        return std::nullopt;
    }
    content->has_variables = dialect != Dialect::fixed;
    return std::move(*content);
}

Attachment read_attachment(ObjectReader& element)
{
    const bool base64 = element.boolean("base64", false);
    std::string data =
        base64 ? read_base64(element, "data", kContentMax) : std::string{element.text("data", kContentText)};
    return Attachment{.file_name = std::string{element.optional_text("file_name", {.max = 255}).value_or("attachment")},
                      .content_type = std::string{element.text("content_type", {.min = 1, .max = 255})},
                      .data = std::move(data),
                      .content_id = std::string{element.optional_text("content_id", {.max = 255}).value_or("")}};
}

std::vector<Attachment> read_attachments(ObjectReader& body)
{
    std::vector<Attachment> attachments;
    const json::array* array = body.optional_array("attachments", kAttachmentsMax);
    for (std::size_t i = 0; array != nullptr && i < array->size(); ++i) {
        http::Path path = body.path_of("attachments");
        path.index = i;
        const json::object* object = (*array)[i].if_object();
        if (object == nullptr) {
            body.issues().add(path.text(), "wrong_type", "must be an object");
            continue;
        }
        ObjectReader element{*object, body.issues(), path, Nulls::absent};
        attachments.push_back(read_attachment(element));
        element.finish();
    }
    return attachments;
}

std::expected<std::optional<Content>, Problem> built_content(ObjectReader& request, const json::object& object,
                                                             Dialect dialect)
{
    ObjectReader body{object, request.issues(), request.path_of("content"), Nulls::absent};
    std::optional<NamedAddress> from = read_named_address(body, "from", true);
    std::optional<NamedAddress> reply_to = read_named_address(body, "reply_to", false);
    std::string subject{body.text("subject", kContentText)};
    const auto text = body.optional_text("text_body", kContentText);
    const auto html = body.optional_text("html_body", kContentText);
    auto headers = read_headers(body, "headers");
    std::vector<Attachment> attachments = read_attachments(body);
    body.finish();
    if (!text && !html) body.issue("text_body", "required", "one of text_body and html_body is required");
    for (const std::string_view part : {std::string_view{subject}, text.value_or(""), html.value_or("")}) {
        if (auto problem = check_dialect(part, dialect)) return Refused{std::move(*problem)};
        // What is built from parts is a template here; one that is to stay as it is must hold nothing to replace.
        if (dialect == Dialect::fixed && part.contains("{{"))
            body.issue("text_body", "bad_value",
                       "holds {{ although the dialect is Static; send the message as a string");
    }
    if (!from) return std::nullopt;
    return TemplateContent{.from = std::move(*from),
                           .reply_to = std::move(reply_to),
                           .subject = std::move(subject),
                           .text = std::string{text.value_or("")},
                           .html = std::string{html.value_or("")},
                           .headers = std::move(headers),
                           .attachments = std::move(attachments),
                           .list_unsubscribe = {},
                           .defaults = {},
                           .strict = false};
}

std::expected<std::optional<Content>, Problem> read_content(ObjectReader& body, Dialect dialect)
{
    const json::value* value = body.any("content");
    if (value == nullptr) return std::nullopt;
    if (const json::object* object = value->if_object()) return built_content(body, *object, dialect);
    if (!value->is_string()) {
        body.issue("content", "wrong_type", "must be a string or an object");
        return std::nullopt;
    }
    const std::string_view message = text_of(value->get_string());
    if (auto problem = check_dialect(message, dialect)) return Refused{std::move(*problem)};
    return raw_content(body, message, dialect);
}

submit::Recipient read_recipient(ObjectReader& element, const json::object& common)
{
    json::object variables = read_flat(element, "substitutions");
    for (const auto& [name, value] : common)
        if (!variables.contains(name)) variables.emplace(name, value);
    element.optional_object("metadata");
    return submit::Recipient{.email = std::string{element.text("email", {.max = 1'024})},
                             .name = std::string{element.optional_text("name", {.max = kNameMax}).value_or("")},
                             .vars = variables_text(variables)};
}

std::vector<submit::Recipient> read_recipients(ObjectReader& body, const json::object& common)
{
    std::vector<submit::Recipient> recipients;
    const json::array* array = body.array("recipients", 1, submit::kRecipientsMax);
    for (std::size_t i = 0; array != nullptr && i < array->size(); ++i) {
        http::Path path = body.path_of("recipients");
        path.index = i;
        const json::object* object = (*array)[i].if_object();
        if (object == nullptr) {
            body.issues().add(path.text(), "wrong_type", "must be an object");
            continue;
        }
        ObjectReader element{*object, body.issues(), path, Nulls::absent};
        recipients.push_back(read_recipient(element, common));
        element.finish();
    }
    return recipients;
}

// The common substitutions as defaults of a template cost nothing a recipient; a raw message has no place for them.
json::object take_defaults(json::object common, std::optional<Content>& content)
{
    auto* built = content ? std::get_if<TemplateContent>(&*content) : nullptr;
    if (built == nullptr) return common;
    for (const auto& [name, value] : common) built->defaults.emplace_back(std::string{name}, plain_text(value));
    return {};
}

} // namespace

std::expected<submit::BatchRequest, Problem> read_injection(std::string_view text, TenantId tenant)
{
    const auto document = http::parse_json(text);
    if (!document) return Refused{document.error()};
    const auto object = http::object_of(*document);
    if (!object) return Refused{object.error()};
    Issues issues;
    ObjectReader body{**object, issues, {}, Nulls::absent};
    const auto dialect = read_dialect(body);
    if (!dialect) return Refused{dialect.error()};
    std::optional<EmailAddress> sender = body.address("envelope_sender");
    auto content = read_content(body, *dialect);
    if (!content) return Refused{content.error()};
    const json::object common = take_defaults(read_flat(body, "substitutions"), *content);
    std::vector<submit::Recipient> recipients = read_recipients(body, common);
    body.boolean("deferred_spool", false);
    body.boolean("deferred_generation", false);
    body.optional_object("trace_headers");
    body.finish();
    if (!issues.empty()) return Refused{std::move(issues).problem()};
    return submit::BatchRequest{.tenant = tenant,
                                .content = std::move(**content),
                                .sender = std::move(sender),
                                .campaign = std::nullopt,
                                .mailbox = std::nullopt,
                                .not_before = std::nullopt,
                                .expires = std::nullopt,
                                .recipients = std::move(recipients),
                                .idempotency_key = {}};
}

} // namespace penguin::control::api
