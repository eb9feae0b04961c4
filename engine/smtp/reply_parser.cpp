#include "engine/smtp/reply_parser.h"

#include <algorithm>

namespace penguin::smtp {

namespace {

constexpr std::size_t kCodeLength = 3; // digits

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::optional<int> code_of(std::string_view line)
{
    if (line.size() < kCodeLength || !std::ranges::all_of(line.substr(0, kCodeLength), is_digit)) return std::nullopt;
    const int code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    if (code < 200 || code > 599) return std::nullopt;
    return code;
}

std::string printable(std::string_view text)
{
    std::string out{text};
    for (char& c : out)
        if (const auto octet = static_cast<unsigned char>(c); (octet < 0x20 && c != '\t') || octet == 0x7F) c = '?';
    return out;
}

} // namespace

Result<std::optional<Reply>> ReplyParser::take(std::string_view& bytes)
{
    while (!bytes.empty()) {
        const std::size_t end = bytes.find('\n');
        const std::size_t length = std::min(end, bytes.size());
        if (line_.size() + length > kReplyLineMax - 1)
            return fail(Errc::too_long, "reply line over " + std::to_string(kReplyLineMax) + " octets");
        line_.append(bytes.substr(0, length));
        if (end == std::string_view::npos) {
            bytes = {};
            return std::nullopt;
        }
        bytes.remove_prefix(end + 1);
        const Result<bool> last = end_line();
        if (!last) return std::unexpected{last.error()};
        if (!*last) continue;
        octets_ = 0;
        return Reply::make(code_, std::exchange(lines_, {}));
    }
    return std::nullopt;
}

Result<bool> ReplyParser::end_line()
{
    const std::string line = std::exchange(line_, {});
    std::string_view rest = line;
    if (rest.ends_with('\r')) rest.remove_suffix(1);
    const std::optional<int> code = code_of(rest);
    if (!code) return fail(Errc::malformed, "not a reply: \"" + printable(rest.substr(0, 80)) + "\"");
    if (!lines_.empty() && *code != code_) return fail(Errc::malformed, "the code changes within a reply");
    rest.remove_prefix(kCodeLength);
    const bool more = rest.starts_with('-');
    if (!rest.empty() && !more && rest.front() != ' ')
        return fail(Errc::malformed, "neither space nor hyphen after the code");
    if (!rest.empty()) rest.remove_prefix(1);
    octets_ += line.size() + 1;
    if (lines_.size() == kReplyLinesMax || octets_ > kReplyTextMax)
        return fail(Errc::too_long, "reply over " + std::to_string(kReplyLinesMax) + " lines or " +
                                        std::to_string(kReplyTextMax) + " octets");
    code_ = *code;
    lines_.push_back(printable(rest));
    return !more;
}

} // namespace penguin::smtp
