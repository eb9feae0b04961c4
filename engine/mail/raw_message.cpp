#include "engine/mail/raw_message.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "engine/base/utf8.h"
#include "engine/mail/gmime.h"
#include "engine/mail/header_encoding.h"

namespace penguin {

namespace {

bool is_content_field(std::string_view name) { return same_name(name.substr(0, 8), "Content-"); }

bool contains_field(const std::vector<RawField>& fields, std::string_view name)
{
    return std::ranges::any_of(fields, [&](const RawField& field) { return same_name(field.name, name); });
}

// Bcc would tell everybody who it was; Return-Path is for the last server to write (RFC 5321 4.4).
bool is_dropped(std::string_view name)
{
    constexpr std::array kNames{"Bcc", "Resent-Bcc", "Return-Path"};
    return std::ranges::any_of(kNames, [&](std::string_view one) { return same_name(one, name); });
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::size_t line_start(std::string_view text, std::size_t at)
{
    const std::size_t end = at < 2 ? std::string_view::npos : text.rfind("\r\n", at - 2);
    return end == std::string_view::npos ? 0 : end + 2;
}

// A Content-Type field, of the message or of a part of it, that says multipart/signed. Text that only speaks of it is none.
bool has_signed_part(std::string_view text)
{
    constexpr std::string_view kSigned = "multipart/signed";
    constexpr std::string_view kField = "content-type:";
    while (true) {
        const auto found = std::ranges::search(text, kSigned, {}, lower);
        if (found.empty()) return false;
        const auto at = static_cast<std::size_t>(found.begin() - text.begin());
        std::size_t start = line_start(text, at);
        while (start > 0 && (text[start] == ' ' || text[start] == '\t')) start = line_start(text, start - 2); // folded
        if (std::ranges::equal(text.substr(start, kField.size()), kField, {}, lower)) return true;
        // A field that began before what is cut off here has been looked at: so all of it takes linear time.
        text.remove_prefix(at + kSigned.size());
    }
}

bool has_long_line(std::string_view text)
{
    while (text.size() > kFieldLineMax) {
        const std::size_t end = text.find("\r\n");
        if (end > kFieldLineMax) return true; // npos as well
        text.remove_prefix(end + 2);
    }
    return false;
}

gmime::Handle<GMimeMessage> parsed(std::string_view message)
{
    const gmime::Handle<GMimeStream> stream = gmime::memory_stream(message);
    const gmime::Handle<GMimeParser> parser{g_mime_parser_new_with_stream(stream.get())};
    g_mime_parser_set_persist_stream(parser.get(), 0);
    return gmime::Handle<GMimeMessage>{g_mime_parser_construct_message(parser.get(), nullptr)};
}

// The body with its Content- fields in front, every part encoded so that it needs 7 bits and short lines.
Result<std::string> encoded_body(std::string_view message)
{
    const gmime::Handle<GMimeMessage> parsed_message = parsed(message);
    GMimeObject* root = parsed_message ? g_mime_message_get_mime_part(parsed_message.get()) : nullptr;
    if (root == nullptr) return fail(Errc::malformed, "message: its MIME structure cannot be read");
    g_mime_object_encode(root, GMIME_ENCODING_CONSTRAINT_7BIT);
    return gmime::text_of(root);
}

Result<> append_field(const RawField& field, bool keep, std::string& out)
{
    if (keep || (is_ascii(field.text) && !has_long_line(field.text))) {
        out += field.text;
        return {};
    }
    if (!is_utf8(field.text))
        return fail(Errc::malformed, fmt::format("header field {}: octets that are not UTF-8", field.name));
    if (is_address_field(field.name))
        append_mailboxes(field.name, field.value(), out);
    else
        append_unstructured(field.name, field.value(), out);
    return {};
}

// The message with a header that may be sent.
Result<std::string> with_clean_header(const RawParts& parts, bool keep)
{
    // Only DKIM signs fields of the header; a signed part is none the worse without them.
    const bool keep_all = contains_field(parts.fields, "DKIM-Signature");
    std::string out;
    for (const RawField& field : parts.fields) {
        if (!keep_all && is_dropped(field.name)) continue;
        if (Result<> done = append_field(field, keep, out); !done) return std::unexpected{done.error()};
    }
    out += "\r\n";
    return out += parts.body;
}

// The message with a body that needs 7 bits and short lines. 8-bit octets where no encoding is allowed (between parts, in
// their headers) stay, and the whole body with them.
Result<std::string> with_encoded_body(std::string message)
{
    const Result<RawParts> parts = cut_raw(message);
    if (!parts) return std::unexpected{parts.error()};
    const bool too_long = has_long_line(parts->body);
    if (is_ascii(parts->body) && !too_long) return message;
    const Result<std::string> body = encoded_body(message);
    if (!body) return body;
    if (!too_long && !is_ascii(*body)) return message;
    std::string out;
    for (const RawField& field : parts->fields)
        if (!is_content_field(field.name)) out += field.text;
    if (!contains_field(parts->fields, "MIME-Version")) out += "MIME-Version: 1.0\r\n";
    return out += *body;
}

// Cuts the text parts that have variables out of the body, and remembers what stands at each mark.
class TextCutter {
public:
    Result<> walk(GMimeObject* part)
    {
        if (GMIME_IS_MULTIPART(part)) {
            GMimeMultipart* multipart = GMIME_MULTIPART(part);
            for (int i = 0; i < g_mime_multipart_get_count(multipart); ++i)
                if (Result<> done = walk(g_mime_multipart_get_part(multipart, i)); !done) return done;
            return {};
        }
        const bool is_text = GMIME_IS_TEXT_PART(part) && !g_mime_part_is_attachment(GMIME_PART(part));
        return is_text ? cut(GMIME_TEXT_PART(part)) : Result<>{};
    }

    std::vector<MarkedText> take() { return std::move(texts_); }

private:
    Result<> cut(GMimeTextPart* part)
    {
        const std::string text = gmime::take(g_mime_text_part_get_text(part));
        if (!text.contains("{{")) return {};
        const bool html =
            g_mime_content_type_is_type(g_mime_object_get_content_type(GMIME_OBJECT(part)), "text", "html");
        Result<Template> compiled = Template::compile(text, html ? Escape::html : Escape::none);
        if (!compiled) return fail(compiled.error(), fmt::format("message, text part {}", texts_.size() + 1));
        const Transfer transfer = transfer_for(text);
        const GMimeContentEncoding encoding =
            transfer == Transfer::base64 ? GMIME_CONTENT_ENCODING_BASE64 : GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE;
        const std::string mark = fmt::format("=_mark_{}_{}", Uuid::v7(wall_now()).text(), texts_.size());
        const gmime::Handle<GMimeStream> stream = gmime::memory_stream(mark);
        const gmime::Handle<GMimeDataWrapper> content{g_mime_data_wrapper_new_with_stream(stream.get(), encoding)};
        g_mime_part_set_content(GMIME_PART(part), content.get());
        g_mime_part_set_content_encoding(GMIME_PART(part), encoding);
        g_mime_text_part_set_charset(part, "utf-8");
        texts_.push_back({mark, {std::move(*compiled), transfer}});
        return {};
    }

    std::vector<MarkedText> texts_;
};

Result<> add_variable_field(const RawField& field, MessagePlan& plan)
{
    const std::string value = decoded_text(field.value());
    if (!value.contains("{{")) {
        plan.add(std::string{field.text});
        return {};
    }
    Result<Template> compiled = Template::compile(value, is_address_field(field.name) ? Escape::name : Escape::none);
    if (!compiled) return fail(compiled.error(), fmt::format("header field {}", field.name));
    plan.add_field(std::string{field.name}, std::move(*compiled));
    return {};
}

Result<> add_variable_parts(const RawContent& content, const RawParts& parts, MessagePlan& plan)
{
    for (const RawField& field : parts.fields) {
        if (is_content_field(field.name)) continue;
        if (Result<> done = add_variable_field(field, plan); !done) return done;
    }
    const gmime::Handle<GMimeMessage> message = parsed(content.message);
    GMimeObject* root = message ? g_mime_message_get_mime_part(message.get()) : nullptr;
    if (root == nullptr) return fail(Errc::malformed, "message: its MIME structure cannot be read");
    TextCutter cutter;
    if (Result<> done = cutter.walk(root); !done) return done;
    if (!contains_field(parts.fields, "MIME-Version")) plan.add(std::string{"MIME-Version: 1.0\r\n"});
    plan.add_marked(gmime::text_of(root), cutter.take());
    return {};
}

} // namespace

std::string RawField::value() const
{
    std::string out{text.substr(std::min(text.find(':') + 1, text.size()))};
    std::erase(out, '\r');
    std::erase(out, '\n');
    return one_line(out);
}

Result<RawParts> cut_raw(std::string_view message)
{
    RawParts parts;
    std::size_t at = 0;
    while (at < message.size()) {
        std::size_t end = message.find("\r\n", at);
        end = end == std::string_view::npos ? message.size() : end + 2;
        const std::string_view line = message.substr(at, end - at);
        if (line == "\r\n") {
            parts.body = message.substr(end);
            break;
        }
        if (end > kRawHeaderMax) return fail(Errc::too_long, fmt::format("header over {} octets", kRawHeaderMax));
        if (line.front() == ' ' || line.front() == '\t') {
            if (parts.fields.empty()) return fail(Errc::malformed, "header: its first line starts with a space");
            RawField& field = parts.fields.back();
            field.text = message.substr(static_cast<std::size_t>(field.text.data() - message.data()),
                                        field.text.size() + line.size());
        } else {
            std::string_view name = line.substr(0, line.find(':'));
            if (name.size() == line.size())
                return fail(Errc::malformed, fmt::format("header: line {} has no colon", parts.fields.size() + 1));
            while (name.ends_with(' ') || name.ends_with('\t')) name.remove_suffix(1); // obsolete syntax, RFC 5322 4.5
            if (!is_field_name(name))
                return fail(Errc::malformed,
                            fmt::format("header: field {} has no valid name", parts.fields.size() + 1));
            if (parts.fields.size() == kRawFieldsMax)
                return fail(Errc::too_long, fmt::format("header: over {} fields", kRawFieldsMax));
            parts.fields.push_back({name, line});
        }
        at = end;
    }
    if (parts.fields.empty()) return fail(Errc::malformed, "message: no header");
    return parts;
}

Result<NamedAddress> from_field(const std::vector<RawField>& fields)
{
    const auto is_from = [](const RawField& field) { return same_name(field.name, "From"); };
    const auto count = std::ranges::count_if(fields, is_from);
    if (count == 0) return fail(Errc::bad_value, "header: no From field");
    if (count > 1) return fail(Errc::bad_value, "header: more than one From field");
    const RawField& field = *std::ranges::find_if(fields, is_from);
    if (!is_utf8(field.text)) return fail(Errc::malformed, "header field From: octets that are not UTF-8");
    Result<NamedAddress> from = parse_named_address(field.value());
    if (!from) return fail(Errc::bad_value, "header field From: " + from.error().detail);
    if (from->address.text().contains("{{"))
        return fail(Errc::bad_value, "header field From: a variable in the address");
    return from;
}

bool is_signed(const RawParts& parts)
{
    if (contains_field(parts.fields, "DKIM-Signature")) return true;
    return std::ranges::any_of(parts.fields, [](const RawField& field) { return has_signed_part(field.text); }) ||
           has_signed_part(parts.body);
}

Result<RawContent> raw_from_client(std::string_view bytes)
{
    if (bytes.size() > kContentMax) return fail(Errc::too_long, fmt::format("message: over {} octets", kContentMax));
    if (bytes.contains('\0')) return fail(Errc::malformed, "message: a NUL octet");
    std::string message = with_crlf(bytes);
    if (!message.ends_with("\r\n")) message += "\r\n";
    const Result<RawParts> parts = cut_raw(message);
    if (!parts) return std::unexpected{parts.error()};
    const Result<NamedAddress> from = from_field(parts->fields);
    if (!from) return std::unexpected{from.error()};
    const bool keep = is_signed(*parts);
    Result<std::string> whole = with_clean_header(*parts, keep);
    if (whole && !keep) whole = with_encoded_body(std::move(*whole));
    if (!whole) return std::unexpected{whole.error()};
    if (has_long_line(*whole))
        return fail(Errc::malformed, fmt::format("message: a line over {} octets", kFieldLineMax));
    if (whole->size() > kContentMax) return fail(Errc::too_long, fmt::format("message: over {} octets", kContentMax));
    return RawContent{from->address, std::move(*whole), false, false};
}

Result<MessagePlan> plan_of(const RawContent& content)
{
    const Result<RawParts> parts = cut_raw(content.message);
    if (!parts) return std::unexpected{parts.error()};
    MessagePlan plan{content.from, content.strict};
    const bool keep = is_signed(*parts);
    if (!keep && !contains_field(parts->fields, "Date")) plan.add(DateSlot{});
    if (!keep && !contains_field(parts->fields, "Message-ID")) plan.add(MessageIdSlot{});
    if (!content.has_variables || keep) {
        plan.add(content.message);
        return plan;
    }
    if (Result<> done = add_variable_parts(content, *parts, plan); !done) return std::unexpected{done.error()};
    return plan;
}

} // namespace penguin
