#include "engine/smtp/content_decoder.h"

#include <cstring>

#include "engine/smtp/octets.h"

namespace penguin::smtp {

// Goes on to just behind the next LF, or to the end of the input.
std::size_t ContentDecoder::line_end(std::string_view input, std::size_t from)
{
    const void* found = std::memchr(input.data() + from, '\n', input.size() - from);
    if (found == nullptr) {
        after_cr_ = input.back() == '\r';
        state_ = State::in_line;
        return input.size();
    }
    const auto at = static_cast<std::size_t>(static_cast<const char*>(found) - input.data());
    const bool cr = at > from ? input[at - 1] == '\r' : after_cr_;
    if (cr)
        ++crlfs_;
    else
        bare_lf_ = true;
    // A bare LF starts no line: a dot behind it means nothing.
    state_ = cr ? State::line_start : State::in_line;
    after_cr_ = false;
    return at + 1;
}

void ContentDecoder::count(std::string_view content)
{
    const Octets octets = count_octets(content);
    crs_ += octets.cr;
    nul_ = nul_ || octets.nul > 0;
}

// The octets of a dot at the start of a line, which are no content. True: it was the final one.
bool ContentDecoder::skip_dot(std::string_view& input)
{
    if (state_ == State::line_start && input.starts_with('.')) {
        state_ = State::dot;
        input.remove_prefix(1);
    }
    if (state_ == State::dot && !input.empty()) {
        state_ = input.front() == '\r' ? State::dot_cr : State::in_line;
        if (state_ == State::dot_cr) input.remove_prefix(1);
    }
    if (state_ == State::dot_cr && !input.empty()) {
        state_ = State::in_line;
        if (input.front() == '\n') {
            input.remove_prefix(1);
            return true;
        }
        ++crs_; // bare
    }
    return false;
}

ContentDecoder::Piece ContentDecoder::take(std::string_view& input)
{
    Piece piece;
    piece.ended = skip_dot(input);
    if (piece.ended) return piece;
    std::size_t at = 0;
    while (at < input.size() && !(state_ == State::line_start && input[at] == '.')) at = line_end(input, at);
    piece.content = input.substr(0, at);
    count(piece.content);
    input.remove_prefix(at);
    return piece;
}

void ContentDecoder::look(std::string_view content)
{
    for (std::size_t at = 0; at < content.size();) at = line_end(content, at);
    count(content);
}

std::optional<std::string_view> ContentDecoder::fault() const
{
    if (nul_) return "a NUL octet";
    if (bare_lf_) return "a bare LF";
    if (crs_ != crlfs_) return "a bare CR";
    return std::nullopt;
}

} // namespace penguin::smtp
