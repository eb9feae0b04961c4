// engine/smtp/reply_parser.h
// Turns the bytes of an SMTP server into replies. Does no I/O.
//
//   in      any slicing of the stream; one octet at a time gives the same replies
//   out     Reply{code 200..599, lines without line end}; control octets in the text are replaced by '?'
//   limits  kReplyLineMax octets a line, kReplyLinesMax lines and kReplyTextMax octets a reply (ours)
//   errors  malformed, too_long. After either, our place in the stream is lost: close the connection, do not reuse it.
//   source  RFC 5321 4.2, multiline form in 4.2.1. A bare LF ends a line too: old servers send it, and nothing that
//           we do hangs on the difference.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/smtp/reply.h"

namespace penguin::smtp {

// RFC 5321 4.5.3.1.5 says 512; servers that put long URLs into refusals go beyond it, and what they say is worth
// reading.
inline constexpr std::size_t kReplyLineMax = 2048;                   // octets with the line end
inline constexpr std::size_t kReplyLinesMax = 128;                   // lines a reply
inline constexpr std::size_t kReplyTextMax = std::size_t{32} * 1024; // octets a reply

class ReplyParser {
public:
    // Takes octets from the front of `bytes`, at most up to the end of one reply. Nothing: give me more.
    Result<std::optional<Reply>> take(std::string_view& bytes);
    // True in the middle of a reply.
    bool started() const noexcept { return !line_.empty() || !lines_.empty(); }

private:
    // Digests the whole line in line_. True when it was the last of a reply.
    Result<bool> end_line();

    std::string line_;               // without its line end so far
    std::vector<std::string> lines_; // of the reply so far
    std::size_t octets_ = 0;
    int code_ = 0;
};

} // namespace penguin::smtp
