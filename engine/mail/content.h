// engine/mail/content.h
// What is sent, before it is anybody's: a template or a raw message, kept once by tenant and hash, compiled once a
// batch.
//
//   Content          as submitted and stored; to_json/parse are inverse; content_id is the SHA-256 of the JSON
//   CompiledContent  checked and compiled; render gives one recipient's message: CRLF line ends, ready to sign
//   limits           kContentMax octets in all, kRenderedMax octets a message, kHeadersMax own header fields,
//                    kAttachmentsMax attachments; a template's sections nest kDepthMax deep; rendering is linear in its
//                    output
//   errors           bad_value, too_long, malformed: detail names the field and the rule;
//                    missing (render, strict): detail names the variable
//   variables        the recipient's vars, then {{email}} (its address), then the content's defaults
//   octets           7-bit only (RFC 2047, quoted-printable, base64), but for addresses with a UTF-8 local part; no
//   line over
//                    998 octets; no value can start a header field or end the header
//   source           RFC 5322, 2045-2047, 2183, 2231, 8058; Mustache (variables, sections, inverted sections, comments)
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/uuid.h"
#include "engine/mail/email_address.h"
#include "engine/mail/message_id.h"
#include "engine/mail/named_address.h"
#include "engine/mail/template.h"

namespace penguin {

inline constexpr std::size_t kContentMax = std::size_t{25} * 1024 * 1024;
inline constexpr std::size_t kRenderedMax = std::size_t{50} * 1024 * 1024;
inline constexpr std::size_t kHeadersMax = 50;
inline constexpr std::size_t kAttachmentsMax = 50;

struct Attachment {
    std::string file_name;
    std::string content_type; // "application/pdf"
    std::string data;         // octets
    std::string content_id;   // "" unless referred to from the HTML part
};

struct TemplateContent {
    NamedAddress from;
    std::optional<NamedAddress> reply_to;
    std::string subject;
    std::string text;                                         // at least one of text and html
    std::string html;                                         // variables are HTML-escaped in it
    std::vector<std::pair<std::string, std::string>> headers; // own ones; not those that we make
    std::vector<Attachment> attachments;
    std::string list_unsubscribe; // https URL, may hold variables: List-Unsubscribe and -Post (RFC 8058)
    std::vector<std::pair<std::string, std::string>> defaults; // variable -> value where a recipient has none
    bool strict = false; // a variable without a value is an error rather than empty
};

struct RawContent {
    EmailAddress from;          // of its From field
    std::string message;        // whole, CRLF; Date and Message-ID are added when they are not there
    bool has_variables = false; // whether {{...}} in header fields and text parts are replaced (escaped in text/html)
    bool strict = false;
};

using Content = std::variant<TemplateContent, RawContent>;

std::string to_json(const Content& content);
Result<Content> parse_content(std::string_view json); // checks shapes and rules; compile also checks the templates
ContentId content_id(std::string_view json);
const EmailAddress& from_of(const Content& content);

// A whole message from a client. Line ends become CRLF; Bcc and Return-Path fields go; 8-bit header fields become
// encoded words; text with 8-bit octets or long lines becomes quoted-printable or base64. A message that carries a
// DKIM-Signature or is multipart/signed keeps its octets (line ends apart), and octets that no encoding may touch (between
// MIME parts) stay: these may need 8BITMIME. Done twice, it changes nothing more.
// Errors: malformed (NUL, a line that is no header field, a header not in UTF-8, a line over 998 octets that cannot be
// encoded again), bad_value (not exactly one From field with exactly one mailbox), too_long.
Result<RawContent> raw_from_client(std::string_view bytes);

struct RenderRequest {
    MessageId id;
    EmailAddress to;
    std::string vars; // JSON object text; "name" in it is the display name of To
    WallTime now;     // Date field
    // Octets that templates may still make, over all renderings that share it; each takes what it made, also when it fails.
    // A rendering that finds too little leaves 0 and ends with too_long. Null: kRenderedMax alone.
    std::size_t* octets_left = nullptr;
};

class CompiledContent {
public:
    static Result<std::shared_ptr<const CompiledContent>> compile(Content content);
    virtual ~CompiledContent() = default;
    virtual Result<std::string> render(const RenderRequest& request) const = 0; // any thread
    virtual const EmailAddress& from() const = 0;
    // Octets that a cache should count. What every rendering costs, whatever the values of variables, is linear in it.
    virtual std::size_t cost() const = 0;
};

} // namespace penguin
