// engine/smtp/reply.h
// What an SMTP server answered (RFC 5321 4.2), and its enhanced status code when it gave one (RFC 3463, RFC 2034).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace penguin::smtp {

struct EnhancedCode {
    std::uint8_t klass = 0;    // 2, 4 or 5
    std::uint16_t subject = 0; // 0..999
    std::uint16_t detail = 0;  // 0..999
    std::string text() const;
    // What `line` begins with, when its class agrees with `code`: "5.1.1 no such user" for 550.
    static std::optional<EnhancedCode> parse(std::string_view line, int code);
    friend bool operator==(const EnhancedCode&, const EnhancedCode&) = default;
};

struct Reply {
    int code = 0;                         // 200..599
    std::vector<std::string> lines;       // text after the code, without CRLF; the enhanced code still in it
    std::optional<EnhancedCode> enhanced; // of the first line, only when its class agrees with `code`

    static Reply make(int code, std::vector<std::string> lines);

    bool positive() const noexcept { return code >= 200 && code < 300; }
    bool intermediate() const noexcept { return code >= 300 && code < 400; }
    bool transient() const noexcept { return code >= 400 && code < 500; }
    bool permanent() const noexcept { return code >= 500; }
    std::string text() const; // lines joined by one space
    friend bool operator==(const Reply&, const Reply&) = default;
};

} // namespace penguin::smtp
