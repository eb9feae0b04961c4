#include "engine/smtp/body_encoder.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "engine/smtp/octets.h"

namespace penguin::smtp {

Result<Body> Body::check(std::string_view message)
{
    Body body;
    body.text_ = message;
    const Octets octets = count_octets(message);
    if (octets.nul > 0) return fail(Errc::bad_value, "content: a NUL octet");
    body.eight_bit_ = octets.eight_bit;
    std::size_t lines = 0;
    std::size_t start = 0;
    while (start < message.size()) {
        if (message[start] == '.') body.dots_.push_back(start);
        const void* found = std::memchr(message.data() + start, '\n', message.size() - start);
        if (found == nullptr) break;
        const auto end = static_cast<std::size_t>(static_cast<const char*>(found) - message.data());
        if (end == start || message[end - 1] != '\r')
            return fail(Errc::bad_value, "content: a bare LF in line " + std::to_string(lines + 1));
        ++lines;
        if (end - 1 - start > kLineMax)
            return fail(Errc::bad_value, "content: line " + std::to_string(lines) + " is over 998 octets");
        start = end + 1;
    }
    // Every LF had its CR; so any CR more is a bare one.
    if (octets.cr != lines) return fail(Errc::bad_value, "content: a bare CR");
    if (message.size() - start > kLineMax) return fail(Errc::bad_value, "content: the last line is over 998 octets");
    body.complete_ = start == message.size();
    return body;
}

std::span<const std::string_view> BodyEncoder::next()
{
    std::size_t count = 0;
    if (last_) return {};
    const std::string_view text = body_->text_;
    std::size_t room = kWriteMax;
    while (at_ < text.size() && room > 0 && count < kPiecesMax - 1) {
        const bool dotted = next_dot_ < body_->dots_.size();
        // Up to and with the dot; the next piece begins with the same dot once more.
        const std::size_t stop = dotted ? body_->dots_[next_dot_] + 1 : text.size();
        const std::size_t length = std::min(stop - at_, room);
        pieces_[count++] = text.substr(at_, length);
        room -= length;
        at_ += length;
        if (dotted && at_ == stop) {
            ++next_dot_;
            --at_;
        }
    }
    if (at_ == text.size()) {
        pieces_[count++] = body_->complete_ ? std::string_view{".\r\n"} : std::string_view{"\r\n.\r\n"};
        last_ = true;
    }
    return std::span{pieces_}.first(count);
}

} // namespace penguin::smtp
