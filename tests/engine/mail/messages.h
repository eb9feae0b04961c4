// tests/engine/mail/messages.h
// What the tests of contents share: a small content, a rendering of it, and a look at the message.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "engine/mail/content.h"

namespace penguin::tests {

inline TemplateContent template_content()
{
    return {.from = {"Sales", EmailAddress::parse("sales@example.com").value()},
            .reply_to = {},
            .subject = "Hello {{name}}",
            .text = "Hi {{name}}, {{email}}\n",
            .html = {},
            .headers = {},
            .attachments = {},
            .list_unsubscribe = {},
            .defaults = {},
            .strict = false};
}

inline RenderRequest request_for(std::string vars)
{
    return {{BatchId{Uuid::parse("017f22e2-79b0-7cc3-98c4-dc0c0c07398f").value()}, 7},
            EmailAddress::parse("ann@example.org").value(),
            std::move(vars),
            parse_rfc3339("2026-11-24T04:29:07Z").value()};
}

inline std::string message_for(const Content& content, std::string vars)
{
    return CompiledContent::compile(content).value()->render(request_for(std::move(vars))).value();
}

inline std::string header_of(std::string_view message)
{
    return std::string{message.substr(0, message.find("\r\n\r\n") + 2)};
}

// Each field's name, in order.
inline std::vector<std::string> field_names(std::string_view message)
{
    std::vector<std::string> names;
    const std::string header = header_of(message);
    for (std::size_t at = 0; at < header.size(); at = header.find("\r\n", at) + 2)
        if (header[at] != ' ' && header[at] != '\t') names.push_back(header.substr(at, header.find(':', at) - at));
    return names;
}

// Unfolded; "" when it is not there.
inline std::string field_of(std::string_view message, std::string_view name)
{
    const std::string header = "\r\n" + header_of(message);
    const std::size_t start = header.find("\r\n" + std::string{name} + ": ");
    if (start == std::string::npos) return {};
    const std::size_t value = start + name.size() + 4;
    std::size_t end = header.find("\r\n", value);
    while (end + 2 < header.size() && (header[end + 2] == ' ' || header[end + 2] == '\t'))
        end = header.find("\r\n", end + 2);
    std::string out = header.substr(value, end - value);
    std::erase(out, '\r');
    std::erase(out, '\n');
    return out;
}

inline std::size_t bare_line_ends(std::string_view text)
{
    std::size_t count = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) ++count;
        if (text[i] == '\r' && (i + 1 == text.size() || text[i + 1] != '\n')) ++count;
    }
    return count;
}

inline std::size_t longest_line(std::string_view text)
{
    std::size_t longest = 0;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find("\r\n"), text.size());
        longest = std::max(longest, end);
        text.remove_prefix(std::min(end + 2, text.size()));
    }
    return longest;
}

} // namespace penguin::tests
