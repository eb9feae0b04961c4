// The replies of any server. The first octet says how the rest is cut: the same replies must come out as from one piece.
#include "engine/smtp/reply_parser.h"

#include <cstdint>
#include <cstdlib>

namespace {

using namespace penguin;

struct Parsed {
    std::vector<smtp::Reply> replies;
    bool failed = false;
};

Parsed parse(std::string_view bytes, std::size_t length)
{
    smtp::ReplyParser parser;
    Parsed out;
    while (!bytes.empty()) {
        std::string_view piece = bytes.substr(0, length);
        bytes.remove_prefix(piece.size());
        while (!piece.empty()) {
            Result<std::optional<smtp::Reply>> reply = parser.take(piece);
            if (!reply) {
                out.failed = true;
                return out;
            }
            if (*reply) out.replies.push_back(std::move(**reply));
        }
    }
    return out;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0) return 0;
    const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
    const Parsed whole = parse(bytes, bytes.size() + 1);
    const Parsed cut = parse(bytes, data[0] % 16 + 1U);
    if (whole.failed != cut.failed || whole.replies != cut.replies) std::abort();
    for (const smtp::Reply& reply : whole.replies)
        if (reply.code < 200 || reply.code > 599 || reply.lines.empty() || reply.lines.size() > smtp::kReplyLinesMax)
            std::abort();
    return 0;
}
