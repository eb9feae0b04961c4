#include "engine/mail/content.h"

#include <array>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <openssl/evp.h>

#include "engine/mail/base64.h"
#include "engine/mail/header_encoding.h"
#include "engine/mail/mime_builder.h"

namespace penguin {

namespace {

namespace json = boost::json;

constexpr std::size_t kJsonMax = 2 * kContentMax; // octets: base64 and escapes

json::object to_value(const NamedAddress& mailbox)
{
    json::object out{{"email", mailbox.address.text()}};
    if (!mailbox.name.empty()) out["name"] = mailbox.name;
    return out;
}

json::object to_value(const Attachment& attachment)
{
    json::object out{{"content_type", attachment.content_type}, {"data", to_base64(attachment.data)}};
    if (!attachment.file_name.empty()) out["file_name"] = attachment.file_name;
    if (!attachment.content_id.empty()) out["content_id"] = attachment.content_id;
    return out;
}

json::object to_value(const TemplateContent& content)
{
    json::object out{{"kind", "template"}, {"from", to_value(content.from)}};
    if (content.reply_to) out["reply_to"] = to_value(*content.reply_to);
    out["subject"] = content.subject;
    if (!content.text.empty()) out["text"] = content.text;
    if (!content.html.empty()) out["html"] = content.html;
    json::array headers;
    for (const auto& [name, value] : content.headers) headers.push_back(json::object{{"name", name}, {"value", value}});
    if (!headers.empty()) out["headers"] = std::move(headers);
    json::array attachments;
    for (const Attachment& attachment : content.attachments) attachments.push_back(to_value(attachment));
    if (!attachments.empty()) out["attachments"] = std::move(attachments);
    if (!content.list_unsubscribe.empty()) out["list_unsubscribe"] = content.list_unsubscribe;
    json::object defaults;
    for (const auto& [name, value] : content.defaults) defaults[name] = value;
    if (!defaults.empty()) out["defaults"] = std::move(defaults);
    if (content.strict) out["strict"] = true;
    return out;
}

json::object to_value(const RawContent& content)
{
    json::object out{{"kind", "raw"}, {"message", to_base64(content.message)}};
    if (content.has_variables) out["has_variables"] = true;
    if (content.strict) out["strict"] = true;
    return out;
}

// Takes the members of one object by name; what nobody took at the end is unknown. Keeps the first error.
class Members {
public:
    Members(const json::value& value, std::string path) : path_{std::move(path)}, object_{value.if_object()}
    {
        if (object_ == nullptr) set(Errc::bad_value, path_, "is not an object");
    }

    std::string text(std::string_view name, bool required = false)
    {
        const json::value* value = take(name, required);
        if (value == nullptr) return {};
        if (const json::string* text = value->if_string()) return std::string{*text};
        set(Errc::bad_value, field(name), "is not text");
        return {};
    }

    std::string bytes(std::string_view name)
    {
        Result<std::string> decoded = from_base64(text(name, true));
        if (decoded) return std::move(*decoded);
        set(Errc::bad_value, field(name), decoded.error().detail);
        return {};
    }

    bool truth(std::string_view name)
    {
        const json::value* value = take(name, false);
        if (value == nullptr) return false;
        if (value->is_bool()) return value->get_bool();
        set(Errc::bad_value, field(name), "is not true or false");
        return false;
    }

    const json::array& list(std::string_view name)
    {
        static const json::array kNone;
        const json::value* value = take(name, false);
        if (value == nullptr) return kNone;
        if (const json::array* list = value->if_array()) return *list;
        set(Errc::bad_value, field(name), "is not a list");
        return kNone;
    }

    std::vector<std::pair<std::string, std::string>> texts(std::string_view name)
    {
        std::vector<std::pair<std::string, std::string>> out;
        const json::value* value = take(name, false);
        if (value == nullptr) return out;
        if (!value->is_object())
            set(Errc::bad_value, field(name), "is not an object");
        else
            for (const auto& [key, one] : value->get_object()) {
                if (one.is_string())
                    out.emplace_back(std::string{key}, std::string{one.get_string()});
                else
                    set(Errc::bad_value, field(name) + "." + std::string{key}, "is not text");
            }
        return out;
    }

    const json::value* take(std::string_view name, bool required)
    {
        const json::value* value = object_ == nullptr ? nullptr : object_->if_contains(name);
        if (value != nullptr)
            taken_.push_back(name);
        else if (required)
            set(Errc::missing, field(name), "is required");
        return value;
    }

    std::optional<NamedAddress> mailbox(std::string_view name, bool required)
    {
        const json::value* value = take(name, required);
        if (value == nullptr) return std::nullopt;
        Members members{*value, field(name)};
        const std::string email = members.text("email", true);
        std::string display = members.text("name");
        if (Result<> done = members.finish(); !done) return failed(done.error());
        Result<EmailAddress> address = EmailAddress::parse(email);
        if (!address) return failed({Errc::bad_value, field(name) + ".email: " + address.error().detail});
        return NamedAddress{std::move(display), std::move(*address)};
    }

    void set(Errc code, std::string_view where, std::string_view rule)
    {
        if (!error_) error_ = Error{code, fmt::format("{}: {}", where, rule)};
    }
    std::nullopt_t failed(const Error& error)
    {
        if (!error_) error_ = error;
        return std::nullopt;
    }

    Result<> finish()
    {
        if (!error_ && object_ != nullptr)
            for (const auto& [key, value] : *object_)
                if (std::ranges::find(taken_, std::string_view{key}) == taken_.end())
                    set(Errc::bad_value, field(std::string_view{key}), "is not known");
        if (error_) return std::unexpected{*error_};
        return {};
    }

private:
    std::string field(std::string_view name) const
    {
        return path_.empty() ? std::string{name} : path_ + "." + std::string{name};
    }

    std::string path_;
    const json::object* object_;
    std::vector<std::string_view> taken_;
    std::optional<Error> error_;
};

Result<Content> template_of(Members& members)
{
    std::optional<NamedAddress> from = members.mailbox("from", true);
    std::optional<NamedAddress> reply_to = members.mailbox("reply_to", false);
    std::string subject = members.text("subject", true);
    std::string text = members.text("text");
    std::string html = members.text("html");
    std::vector<std::pair<std::string, std::string>> headers;
    for (const json::value& value : members.list("headers")) {
        Members header{value, fmt::format("headers[{}]", headers.size())};
        std::string name = header.text("name", true);
        headers.emplace_back(std::move(name), header.text("value", true));
        if (Result<> done = header.finish(); !done) return std::unexpected{done.error()};
    }
    std::vector<Attachment> attachments;
    for (const json::value& value : members.list("attachments")) {
        Members one{value, fmt::format("attachments[{}]", attachments.size())};
        attachments.push_back(
            {one.text("file_name"), one.text("content_type", true), one.bytes("data"), one.text("content_id")});
        if (Result<> done = one.finish(); !done) return std::unexpected{done.error()};
    }
    std::string list_unsubscribe = members.text("list_unsubscribe");
    std::vector<std::pair<std::string, std::string>> defaults = members.texts("defaults");
    const bool strict = members.truth("strict");
    if (Result<> done = members.finish(); !done) return std::unexpected{done.error()};
    TemplateContent content{
        std::move(*from),   std::move(reply_to),    std::move(subject),          std::move(text),     std::move(html),
        std::move(headers), std::move(attachments), std::move(list_unsubscribe), std::move(defaults), strict};
    if (Result<> done = check_template_content(content); !done) return std::unexpected{done.error()};
    return content;
}

Result<Content> raw_of(Members& members)
{
    const std::string message = members.bytes("message");
    const bool has_variables = members.truth("has_variables");
    const bool strict = members.truth("strict");
    if (Result<> done = members.finish(); !done) return std::unexpected{done.error()};
    // Whoever wrote this JSON: the rules of a raw message hold, and From is what the message says.
    Result<RawContent> content = raw_from_client(message);
    if (!content) return std::unexpected{content.error()};
    content->has_variables = has_variables;
    content->strict = strict;
    return *content;
}

} // namespace

std::string to_json(const Content& content)
{
    return std::visit([](const auto& one) { return json::serialize(to_value(one)); }, content);
}

Result<Content> parse_content(std::string_view text)
{
    if (text.size() > kJsonMax) return fail(Errc::too_long, fmt::format("content: over {} octets of JSON", kJsonMax));
    json::error_code code;
    const json::value value = json::parse(text, code);
    if (code) return fail(Errc::malformed, "content: not JSON: " + code.message());
    Members members{value, ""};
    const std::string kind = members.text("kind", true);
    if (kind == "template") return template_of(members);
    if (kind == "raw") return raw_of(members);
    members.set(Errc::bad_value, "kind", "is neither \"template\" nor \"raw\"");
    return std::unexpected{members.finish().error()};
}

ContentId content_id(std::string_view text)
{
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha256(), nullptr);
    std::string hex;
    for (unsigned i = 0; i < length; ++i) fmt::format_to(std::back_inserter(hex), "{:02x}", digest[i]);
    return ContentId{std::move(hex)};
}

} // namespace penguin
