#include "engine/mail/named_address.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/mail/header_encoding.h"

namespace penguin {

namespace {

constexpr std::string_view kSpecials = "()<>[]:;@\\,\"";

// A cursor over RFC 5322 tokens; comments and white space between them are skipped.
class Reader {
public:
    explicit Reader(std::string_view text) : text_{text} {}

    Result<> skip_blank()
    {
        std::size_t depth = 0;
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (c == '(') {
                ++depth;
            } else if (depth > 0) {
                if (c == ')') --depth;
                if (c == '\\') ++at_;
            } else if (c != ' ' && c != '\t' && c != '\r' && c != '\n') {
                break;
            }
            ++at_;
        }
        if (depth > 0) return fail(Errc::bad_address, "a comment is not closed");
        return {};
    }

    bool done() const { return at_ >= text_.size(); }
    char peek() const { return text_[at_]; }
    std::size_t at() const { return at_; }
    void step() { ++at_; }
    std::string_view from(std::size_t start) const { return text_.substr(start, at_ - start); }

    // Up to the next special or white space.
    std::string_view atom()
    {
        const std::size_t start = at_;
        while (at_ < text_.size() && !kSpecials.contains(text_[at_]) && static_cast<unsigned char>(text_[at_]) > 0x20)
            ++at_;
        return from(start);
    }

    // The text between the quotes, escapes taken away.
    Result<std::string> quoted()
    {
        std::string inside;
        for (++at_; at_ < text_.size(); ++at_) {
            if (text_[at_] == '"') {
                ++at_;
                return inside;
            }
            if (text_[at_] == '\\') ++at_; // the next octet counts as it is
            if (at_ < text_.size()) inside += text_[at_];
        }
        return fail(Errc::bad_address, "a quoted string is not closed");
    }

    Result<EmailAddress> angle()
    {
        const std::size_t start = ++at_;
        bool in_quotes = false;
        for (; at_ < text_.size(); ++at_) {
            if (text_[at_] == '\\' && in_quotes) {
                ++at_;
            } else if (text_[at_] == '"') {
                in_quotes = !in_quotes;
            } else if (text_[at_] == '>' && !in_quotes) {
                const std::string_view inside = from(start);
                ++at_;
                return EmailAddress::parse(inside);
            }
        }
        return fail(Errc::bad_address, "\"<\" without \">\"");
    }

private:
    std::string_view text_;
    std::size_t at_ = 0;
};

Result<> expect_end(Reader& reader)
{
    if (Result<> blank = reader.skip_blank(); !blank) return blank;
    if (reader.done()) return {};
    if (reader.peek() == ',') return fail(Errc::bad_address, "more than one mailbox");
    return fail(Errc::bad_address, "text after the address");
}

} // namespace

Result<NamedAddress> parse_named_address(std::string_view text)
{
    if (text.size() > kNamedAddressMax)
        return fail(Errc::too_long, fmt::format("mailbox over {} octets", kNamedAddressMax));
    Reader reader{text};
    std::string name;
    std::size_t words_start = std::string_view::npos; // where an address without < > would start
    while (true) {
        if (Result<> blank = reader.skip_blank(); !blank) return std::unexpected{blank.error()};
        if (reader.done()) return fail(Errc::bad_address, "no address");
        if (words_start == std::string_view::npos) words_start = reader.at();
        const char c = reader.peek();
        if (c == '<') {
            Result<EmailAddress> address = reader.angle();
            if (!address) return std::unexpected{address.error()};
            if (Result<> end = expect_end(reader); !end) return std::unexpected{end.error()};
            return NamedAddress{decoded_text(name), std::move(*address)};
        }
        if (c == '@') {
            reader.step();
            reader.atom();
            Result<EmailAddress> address = EmailAddress::parse(reader.from(words_start));
            if (!address) return std::unexpected{address.error()};
            if (Result<> end = expect_end(reader); !end) return std::unexpected{end.error()};
            return NamedAddress{{}, std::move(*address)};
        }
        if (c == ',') return fail(Errc::bad_address, "more than one mailbox");
        if (c == ':' || c == ';') return fail(Errc::bad_address, "a group is not one mailbox");
        if (!name.empty()) name += ' ';
        if (c == '"') {
            Result<std::string> word = reader.quoted();
            if (!word) return std::unexpected{word.error()};
            name += *word;
        } else {
            const std::string_view word = reader.atom();
            if (word.empty()) return fail(Errc::bad_address, "an octet that is not allowed in a name");
            name += word;
        }
    }
}

} // namespace penguin
