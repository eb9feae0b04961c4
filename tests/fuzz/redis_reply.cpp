// Replies of a Redis, or of what listens in its place. The first octet says how they are cut: the same values come out as from
// one piece. And a command is an array of its arguments to any reader of the protocol.
#include "engine/queue/redis_link.h"

#include <cstdlib>

using namespace penguin;

namespace {

constexpr std::size_t kRepliesMax = 64;

struct Heard {
    std::vector<queue::RedisReply> replies;
    bool failed = false;
};

Heard hear(std::string_view bytes, std::size_t length)
{
    static asio::io_context io;
    queue::RedisLink link{io.get_executor()};
    Heard heard;
    while (!bytes.empty() && heard.replies.size() < kRepliesMax) {
        const std::string_view piece = bytes.substr(0, length);
        bytes.remove_prefix(piece.size());
        redisReaderFeed(link.reader.get(), piece.data(), piece.size());
        while (heard.replies.size() < kRepliesMax) {
            auto reply = link.next_reply();
            if (!reply) {
                heard.failed = true;
                return heard;
            }
            if (!*reply) break;
            heard.replies.push_back(std::move(**reply));
        }
    }
    return heard;
}

void look(const queue::RedisReply& reply)
{
    static_cast<void>(reply.integer());
    if (reply.error() != nullptr && queue::checked(reply)) std::abort();
    if (reply.nil() && !(reply.text().empty() && reply.array().empty())) std::abort();
    for (const queue::RedisReply& one : reply.array()) look(one);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0) return 0;
    const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
    const Heard whole = hear(bytes, bytes.size() + 1);
    const Heard cut = hear(bytes, data[0] % 16 + 1U);
    if (whole.failed != cut.failed || whole.replies != cut.replies) std::abort();
    for (const queue::RedisReply& reply : whole.replies) look(reply);

    std::string command;
    queue::append_command(command, {"EVALSHA", std::string{bytes}, ""});
    const Heard said = hear(command, data[0] + 1U);
    if (said.failed || said.replies.size() != 1 || said.replies[0].array().size() != 3 ||
        said.replies[0].array()[1].text() != bytes)
        std::abort();
    return 0;
}
