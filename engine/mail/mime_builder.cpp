#include "engine/mail/mime_builder.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "engine/base/utf8.h"
#include "engine/mail/gmime.h"
#include "engine/mail/header_encoding.h"

namespace penguin {

namespace {

constexpr std::size_t kFileNameMax = 255;       // octets
constexpr std::size_t kContentIdMax = 200;      // octets
constexpr std::size_t kMediaTypeMax = 127;      // octets
constexpr std::size_t kSubjectMax = 8'192;      // octets of the template
constexpr std::size_t kHeaderValueMax = 16'384; // octets of the template

// Fields that we make, or that only a transport may add.
bool is_reserved_field(std::string_view name)
{
    constexpr std::array kNames{"Date",
                                "Message-ID",
                                "From",
                                "To",
                                "Reply-To",
                                "Subject",
                                "MIME-Version",
                                "List-Unsubscribe",
                                "Bcc",
                                "Return-Path",
                                "Received",
                                "DKIM-Signature",
                                "List-Unsubscribe-Post",
                                "Resent-Bcc",
                                "Authentication-Results",
                                "Delivered-To"};
    const bool known = std::ranges::any_of(kNames, [&](std::string_view one) { return same_name(one, name); });
    return known || same_name(name.substr(0, 8), "Content-") || same_name(name.substr(0, 4), "ARC-");
}

bool is_token(std::string_view text)
{
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return c > 0x20 && c < 0x7F && !std::string_view{"()<>@,;:\\\"/[]?="}.contains(c);
    });
}

bool has_controls(std::string_view text)
{
    return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

bool breaks_lines(std::string_view text)
{
    return text.find_first_of(std::string_view{"\r\n\0", 3}) != std::string_view::npos;
}

std::unexpected<Error> wrong(std::string_view field, std::string_view rule)
{
    return fail(Errc::bad_value, fmt::format("{}: {}", field, rule));
}

Result<> check_header(const std::pair<std::string, std::string>& header, std::size_t index)
{
    const auto& [name, value] = header;
    const std::string field = fmt::format("headers[{}]", index);
    if (!is_field_name(name)) return wrong(field + ".name", "is no header field name of at most 76 octets");
    if (is_reserved_field(name)) return wrong(field + ".name", fmt::format("\"{}\" cannot be set here", name));
    if (breaks_lines(value)) return wrong(field + ".value", "holds CR, LF or NUL");
    if (value.size() > kHeaderValueMax)
        return fail(Errc::too_long, fmt::format("{}.value: over {} octets", field, kHeaderValueMax));
    return {};
}

Result<> check_attachment(const Attachment& attachment, bool has_html, std::size_t index)
{
    const std::string field = fmt::format("attachments[{}]", index);
    const std::string_view type = attachment.content_type;
    const std::size_t slash = std::min(type.find('/'), type.size());
    const std::string_view main = type.substr(0, slash);
    if (type.size() > kMediaTypeMax || slash == type.size() || !is_token(main) || !is_token(type.substr(slash + 1)))
        return wrong(field + ".content_type", "is not of the form type/subtype");
    if (same_name(main, "multipart") || same_name(main, "message"))
        return wrong(field + ".content_type", "multipart and message types cannot be attached");
    if (attachment.file_name.size() > kFileNameMax || has_controls(attachment.file_name) ||
        !is_utf8(attachment.file_name))
        return wrong(field + ".file_name", "is not UTF-8 text of at most 255 octets without control characters");
    const std::string_view id = attachment.content_id;
    const bool id_is_plain =
        std::ranges::all_of(id, [](char c) { return c > 0x20 && c < 0x7F && c != '<' && c != '>'; });
    if (id.size() > kContentIdMax || !id_is_plain)
        return wrong(field + ".content_id", "is not at most 200 octets of ASCII without spaces, < and >");
    if (!id.empty() && !has_html) return wrong(field + ".content_id", "there is no html that could refer to it");
    return {};
}

Result<> check_lines(const TemplateContent& content)
{
    if (breaks_lines(content.subject)) return wrong("subject", "holds CR, LF or NUL");
    if (breaks_lines(content.from.name)) return wrong("from.name", "holds CR, LF or NUL");
    if (content.reply_to && breaks_lines(content.reply_to->name)) return wrong("reply_to.name", "holds CR, LF or NUL");
    if (content.subject.size() > kSubjectMax)
        return fail(Errc::too_long, fmt::format("subject: over {} octets", kSubjectMax));
    const std::string& url = content.list_unsubscribe;
    if (url.size() > kUrlMax) return fail(Errc::too_long, fmt::format("list_unsubscribe: over {} octets", kUrlMax));
    if (!url.empty() && !url.starts_with("https://") && !url.starts_with("{{"))
        return wrong("list_unsubscribe", "is not an https URL (RFC 8058)");
    return {};
}

std::size_t size_of(const TemplateContent& content)
{
    std::size_t octets = content.subject.size() + content.text.size() + content.html.size();
    for (const auto& [name, value] : content.headers) octets += name.size() + value.size();
    for (const auto& [name, value] : content.defaults) octets += name.size() + value.size();
    for (const Attachment& attachment : content.attachments) octets += attachment.data.size();
    return octets;
}

// Builds the body's tree and remembers which text stands at which mark.
class BodyBuilder {
public:
    explicit BodyBuilder(std::string_view seed) : seed_{seed} { gmime::ready(); }

    Result<> text(std::string_view subtype, std::string_view field, std::string_view source, Escape escape)
    {
        Result<Template> compiled = Template::compile(source, escape);
        if (!compiled) return fail(compiled.error(), field);
        const Transfer transfer = transfer_for(source);
        const GMimeContentEncoding encoding =
            transfer == Transfer::base64 ? GMIME_CONTENT_ENCODING_BASE64 : GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE;
        gmime::Handle<GMimePart> part{g_mime_part_new_with_type("text", std::string{subtype}.c_str())};
        g_mime_object_set_content_type_parameter(GMIME_OBJECT(part.get()), "charset", "utf-8");
        // The mark counts as encoded already: it is written as it is.
        set_content(part.get(), texts_.emplace_back(boundary("text"), TextSlot{std::move(*compiled), transfer}).mark,
                    encoding);
        g_mime_part_set_content_encoding(part.get(), encoding);
        put(GMIME_OBJECT(part.release()), "alternative");
        return {};
    }

    void attach(const Attachment& attachment, std::string_view kind)
    {
        const std::size_t slash = attachment.content_type.find('/');
        gmime::Handle<GMimePart> part{g_mime_part_new_with_type(attachment.content_type.substr(0, slash).c_str(),
                                                                attachment.content_type.substr(slash + 1).c_str())};
        const bool inlined = !attachment.content_id.empty();
        g_mime_object_set_disposition(GMIME_OBJECT(part.get()), inlined ? "inline" : "attachment");
        if (!attachment.file_name.empty()) g_mime_part_set_filename(part.get(), attachment.file_name.c_str());
        if (inlined) g_mime_object_set_content_id(GMIME_OBJECT(part.get()), attachment.content_id.c_str());
        set_content(part.get(), attachment.data, GMIME_CONTENT_ENCODING_DEFAULT);
        g_mime_part_set_content_encoding(part.get(), GMIME_CONTENT_ENCODING_BASE64);
        put(GMIME_OBJECT(part.release()), kind);
    }

    void add_to(MessagePlan& plan)
    {
        plan.add_marked("MIME-Version: 1.0\r\n" + gmime::text_of(root_.get()), std::move(texts_));
    }

private:
    // "=_" never occurs in quoted-printable or base64, so no part can hold a boundary or a mark (RFC 2045 6.7).
    std::string boundary(std::string_view kind)
    {
        return fmt::format("=_{}_{}_{}", kind, seed_.substr(0, 24), made_++);
    }

    static void set_content(GMimePart* part, std::string_view bytes, GMimeContentEncoding encoding)
    {
        const gmime::Handle<GMimeStream> stream = gmime::memory_stream(bytes);
        const gmime::Handle<GMimeDataWrapper> content{g_mime_data_wrapper_new_with_stream(stream.get(), encoding)};
        g_mime_part_set_content(part, content.get());
    }

    // Joins what is there in a multipart of that kind; takes the part.
    void put(GMimeObject* part, std::string_view kind)
    {
        gmime::Handle<GMimeObject> owned{part};
        if (!root_) {
            root_ = std::move(owned);
            return;
        }
        if (kind_ != kind) {
            GMimeMultipart* multipart = g_mime_multipart_new_with_subtype(std::string{kind}.c_str());
            g_mime_multipart_set_boundary(multipart, boundary(kind).c_str());
            if (kind == "related") {
                // The type of its root, which RFC 2387 3.1 asks for.
                const std::string type =
                    gmime::take(g_mime_content_type_get_mime_type(g_mime_object_get_content_type(root_.get())));
                g_mime_object_set_content_type_parameter(GMIME_OBJECT(multipart), "type", type.c_str());
            }
            g_mime_multipart_add(multipart, root_.get());
            root_.reset(GMIME_OBJECT(multipart));
            kind_ = kind;
        }
        g_mime_multipart_add(GMIME_MULTIPART(root_.get()), owned.get());
    }

    std::string seed_;
    std::size_t made_ = 0;
    gmime::Handle<GMimeObject> root_;
    std::string kind_; // of the root, when it is a multipart
    std::vector<MarkedText> texts_;
};

// Images belong to the alternative as a whole: multipart/related has it as its root (RFC 2387).
Result<> add_body(const TemplateContent& content, BodyBuilder& body)
{
    const bool has_related =
        std::ranges::any_of(content.attachments, [](const Attachment& a) { return !a.content_id.empty(); });
    if (!content.text.empty() || content.html.empty())
        if (Result<> done = body.text("plain", "text", content.text, Escape::none); !done) return done;
    if (!content.html.empty())
        if (Result<> done = body.text("html", "html", content.html, Escape::html); !done) return done;
    if (has_related)
        for (const Attachment& attachment : content.attachments)
            if (!attachment.content_id.empty()) body.attach(attachment, "related");
    for (const Attachment& attachment : content.attachments)
        if (attachment.content_id.empty()) body.attach(attachment, "mixed");
    return {};
}

Result<> add_fields(const TemplateContent& content, MessagePlan& plan)
{
    plan.add(DateSlot{});
    plan.add(MessageIdSlot{});
    Result<Template> from = Template::compile(content.from.name, Escape::none);
    if (!from) return fail(from.error(), "from.name");
    plan.add_mailbox("From", std::move(*from), content.from.address);
    plan.add(ToSlot{});
    if (content.reply_to) {
        Result<Template> name = Template::compile(content.reply_to->name, Escape::none);
        if (!name) return fail(name.error(), "reply_to.name");
        plan.add_mailbox("Reply-To", std::move(*name), content.reply_to->address);
    }
    Result<Template> subject = Template::compile(content.subject, Escape::none);
    if (!subject) return fail(subject.error(), "subject");
    plan.add_field("Subject", std::move(*subject));
    for (const auto& [name, value] : content.headers) {
        Result<Template> compiled = Template::compile(value, is_address_field(name) ? Escape::name : Escape::none);
        if (!compiled) return fail(compiled.error(), fmt::format("headers: {}", name));
        plan.add_field(name, std::move(*compiled));
    }
    if (content.list_unsubscribe.empty()) return {};
    // A variable that begins the URL is a URL itself; elsewhere a value is a component.
    const Escape escape = content.list_unsubscribe.starts_with("{{") ? Escape::none : Escape::url;
    Result<Template> url = Template::compile(content.list_unsubscribe, escape);
    if (!url) return fail(url.error(), "list_unsubscribe");
    plan.add(UnsubscribeSlot{std::move(*url)});
    return {};
}

} // namespace

Result<> check_template_content(const TemplateContent& content)
{
    if (content.text.empty() && content.html.empty()) return fail(Errc::missing, "text, html: one of both is needed");
    if (size_of(content) > kContentMax)
        return fail(Errc::too_long, fmt::format("content: over {} octets", kContentMax));
    if (content.headers.size() > kHeadersMax) return fail(Errc::too_long, fmt::format("headers: over {}", kHeadersMax));
    if (content.attachments.size() > kAttachmentsMax)
        return fail(Errc::too_long, fmt::format("attachments: over {}", kAttachmentsMax));
    if (Result<> done = check_lines(content); !done) return done;
    for (std::size_t i = 0; i < content.headers.size(); ++i)
        if (Result<> done = check_header(content.headers[i], i); !done) return done;
    for (std::size_t i = 0; i < content.attachments.size(); ++i)
        if (Result<> done = check_attachment(content.attachments[i], !content.html.empty(), i); !done) return done;
    return {};
}

Result<MessagePlan> plan_of(const TemplateContent& content, std::string_view seed)
{
    if (Result<> done = check_template_content(content); !done) return std::unexpected{done.error()};
    boost::json::object defaults;
    for (const auto& [name, value] : content.defaults) defaults[name] = value;
    MessagePlan plan{content.from.address, content.strict, std::move(defaults)};
    if (Result<> done = add_fields(content, plan); !done) return std::unexpected{done.error()};
    BodyBuilder body{seed};
    if (Result<> done = add_body(content, body); !done) return std::unexpected{done.error()};
    body.add_to(plan);
    return plan;
}

} // namespace penguin
