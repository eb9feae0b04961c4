// engine/smtp/body_encoder.h
// A message as it goes over the wire behind DATA: checked once, then dot-stuffed without a copy.
//
//   in      a whole message, CRLF line ends
//   out     views into the message and into constants; joined, they are what to write, the final dot included.
//           A last line without CRLF gets one (RFC 5321 4.1.1.4)
//   errors  bad_value, naming the rule: a bare CR, a bare LF or a NUL (RFC 5321 2.3.8: what SMTP smuggling is made of),
//           or a line over kLineMax octets (4.5.3.1.6)
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace penguin::smtp {

inline constexpr std::size_t kLineMax = 998; // octets of a content line without CRLF

// A message that passed. The text must outlive it.
class Body {
public:
    static Result<Body> check(std::string_view message);

    std::string_view text() const noexcept { return text_; }
    bool eight_bit() const noexcept { return eight_bit_; }
    // What SIZE= says (RFC 1870 3): with CRLFs, without stuffed dots and the final one.
    std::size_t size() const noexcept { return text_.size() + (complete_ ? 0 : 2); }

private:
    friend class BodyEncoder;
    std::string_view text_;
    std::vector<std::size_t> dots_; // where a line begins with a dot
    bool eight_bit_ = false;
    bool complete_ = true; // the last line has its CRLF
};

class BodyEncoder {
public:
    static constexpr std::size_t kPiecesMax = 64;                    // views a call: one writev
    static constexpr std::size_t kWriteMax = std::size_t{64} * 1024; // octets a call: what one deadline covers

    explicit BodyEncoder(const Body& body) : body_{&body} {}
    // What to write next; empty only after last(). The views live as long as the body's text, the span until the next
    // call.
    std::span<const std::string_view> next();
    // The pieces of the latest next() end with the final dot.
    bool last() const noexcept { return last_; }

private:
    const Body* body_;
    std::size_t at_ = 0;       // octets of the text that were given out
    std::size_t next_dot_ = 0; // index into dots_
    bool last_ = false;
    std::array<std::string_view, kPiecesMax> pieces_;
};

} // namespace penguin::smtp
