#include "dkim/canonical.h"

#include <algorithm>

#include <fmt/format.h>

namespace penguin::dkim {

namespace {

constexpr std::string_view kBlank = " \t";
constexpr std::size_t kChunk = 16'384; // octets collected before the sink is called

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool is_blank(char c) { return c == ' ' || c == '\t'; }

bool has_bare_line_end(std::string_view line) { return line.find_first_of("\r\n") != line.size() - 2; }

// Runs of blanks become one space, the last run goes.
void append_reduced(std::string_view text, std::string& out)
{
    const std::size_t last = text.find_last_not_of(kBlank);
    text = text.substr(0, last == std::string_view::npos ? 0 : last + 1);
    if (!text.contains('\t') && !text.contains("  ")) {
        out += text;
        return;
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (!is_blank(text[i]))
            out += text[i];
        else if (!is_blank(text[i + 1]))
            out += ' '; // the last octet is no blank
    }
}

} // namespace

Result<MessageView> view_message(std::string_view message)
{
    MessageView view;
    std::size_t at = 0;
    while (at < message.size()) {
        const std::size_t found = message.find("\r\n", at);
        if (found == std::string_view::npos) return fail(Errc::malformed, "header: its last line has no CRLF");
        const std::size_t end = found + 2;
        const std::string_view line = message.substr(at, end - at);
        if (line.size() == 2) {
            view.body = message.substr(end);
            break;
        }
        if (has_bare_line_end(line)) return fail(Errc::malformed, "header: a bare CR or LF");
        if (is_blank(line.front())) {
            if (view.fields.empty()) return fail(Errc::malformed, "header: its first line is a continuation");
            HeaderField& field = view.fields.back();
            field.text = message.substr(static_cast<std::size_t>(field.text.data() - message.data()),
                                        field.text.size() + line.size());
        } else {
            const std::size_t colon = line.find(':');
            std::string_view name = line.substr(0, colon);
            while (!name.empty() && is_blank(name.back())) name.remove_suffix(1);
            if (colon == std::string_view::npos || name.empty())
                return fail(Errc::malformed, fmt::format("header: field {} has no name", view.fields.size() + 1));
            if (view.fields.size() == kHeaderFieldsMax)
                return fail(Errc::too_long, fmt::format("header: over {} fields", kHeaderFieldsMax));
            HeaderField field{std::string{name}, line};
            std::ranges::transform(field.name, field.name.begin(), lower);
            view.fields.push_back(std::move(field));
        }
        at = end;
    }
    if (view.fields.empty()) return fail(Errc::malformed, "message: no header");
    return view;
}

void relaxed_field(std::string_view field, std::string& out)
{
    const std::size_t colon = std::min(field.find(':'), field.size());
    std::string_view name = field.substr(0, colon);
    while (!name.empty() && is_blank(name.back())) name.remove_suffix(1);
    std::ranges::transform(name, std::back_inserter(out), lower);
    out += ':';
    std::string value;
    for (const char c : field.substr(std::min(colon + 1, field.size())))
        if (c != '\r' && c != '\n') value += c;
    std::string_view text = value;
    text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size()));
    append_reduced(text, out);
    out += "\r\n";
}

void relaxed_body(std::string_view body, const std::function<void(std::string_view)>& sink)
{
    std::string chunk;
    chunk.reserve(kChunk);
    std::size_t empty_lines = 0; // seen, and to be written only when something follows
    while (!body.empty()) {
        const std::size_t end = body.find("\r\n");
        const std::string_view line = body.substr(0, end);
        body.remove_prefix(end == std::string_view::npos ? body.size() : end + 2);
        if (line.find_first_not_of(kBlank) == std::string_view::npos) {
            ++empty_lines;
            continue;
        }
        for (; empty_lines > 0; --empty_lines) chunk += "\r\n";
        append_reduced(line, chunk);
        chunk += "\r\n";
        if (chunk.size() < kChunk) continue;
        sink(chunk);
        chunk.clear();
    }
    if (!chunk.empty()) sink(chunk);
}

std::string tag_value(std::string_view list, std::string_view tag)
{
    while (!list.empty()) {
        const std::size_t end = std::min(list.find(';'), list.size());
        std::string item;
        for (const char c : list.substr(0, end))
            if (!is_blank(c) && c != '\r' && c != '\n') item += c;
        list.remove_prefix(std::min(end + 1, list.size()));
        if (item.size() > tag.size() && item.starts_with(tag) && item[tag.size()] == '=')
            return item.substr(tag.size() + 1);
    }
    return {};
}

} // namespace penguin::dkim
