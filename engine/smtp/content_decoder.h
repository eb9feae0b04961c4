// engine/smtp/content_decoder.h
// The content behind DATA or BDAT as a server takes it in: finds the end, takes stuffed dots away, notices smuggling.
//
//   in       any slicing of the stream
//   out      views into the input; joined, they are the message
//   errors   fault(): the rule that the content breaks. The content is still read to its end, which only CRLF.CRLF is
//   source   RFC 5321 4.5.2 (transparency), 2.3.8 (CR and LF only together)
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace penguin::smtp {

class ContentDecoder {
public:
    struct Piece {
        std::string_view content;
        bool ended = false; // the final dot was read; what is left of the input comes after the message
    };

    // Behind DATA: takes octets from the front of `input`, up to a dot that goes away, the end, or all.
    Piece take(std::string_view& input);
    // Behind BDAT, where nothing is stuffed: only looks.
    void look(std::string_view content);

    std::optional<std::string_view> fault() const;
    void restart() { *this = {}; }

private:
    enum class State : std::uint8_t { line_start, in_line, dot, dot_cr };

    bool skip_dot(std::string_view& input);
    std::size_t line_end(std::string_view input, std::size_t from);
    void count(std::string_view content);

    State state_ = State::line_start;
    bool after_cr_ = false;
    bool bare_lf_ = false;
    bool nul_ = false;
    std::uint64_t crs_ = 0;
    std::uint64_t crlfs_ = 0;
};

} // namespace penguin::smtp
