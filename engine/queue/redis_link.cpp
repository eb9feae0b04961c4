#include "engine/queue/redis_link.h"

#include <boost/asio/write.hpp>

namespace penguin::queue {

namespace {

struct ReplyFree {
    void operator()(void* reply) const { freeReplyObject(reply); }
};

RedisReply reply_of(const redisReply& raw)
{
    switch (raw.type) {
    case REDIS_REPLY_INTEGER: return {static_cast<std::int64_t>(raw.integer)};
    case REDIS_REPLY_STATUS:
    case REDIS_REPLY_STRING: return {std::string{raw.str, static_cast<std::size_t>(raw.len)}};
    case REDIS_REPLY_ERROR: return {RedisReply::Error{std::string{raw.str, static_cast<std::size_t>(raw.len)}}};
    case REDIS_REPLY_ARRAY: {
        RedisReply::Array array;
        array.reserve(raw.elements);
        for (std::size_t i = 0; i < raw.elements; ++i) array.push_back(reply_of(*raw.element[i]));
        return {std::move(array)};
    }
    default: return {RedisReply::Nil{}};
    }
}

// hiredis' own, with a bound on arrays. The first reader tells which its own are.
redisReplyObjectFunctions& bounded_functions(const redisReader& reader)
{
    static const redisReplyObjectFunctions kOwn = *reader.fn;
    static redisReplyObjectFunctions bounded = [] {
        redisReplyObjectFunctions functions = kOwn;
        functions.createArray = [](const redisReadTask* task, int elements) -> void* {
            return elements > RedisLink::kElementsMax ? nullptr : kOwn.createArray(task, elements); // null: an error
        };
        return functions;
    }();
    return bounded;
}

} // namespace

void append_command(std::string& out, const std::vector<std::string>& arguments)
{
    out += '*';
    out += std::to_string(arguments.size());
    out += "\r\n";
    for (const std::string& argument : arguments) {
        out += '$';
        out += std::to_string(argument.size());
        out += "\r\n";
        out += argument;
        out += "\r\n";
    }
}

redisReader* RedisLink::make_reader()
{
    redisReader* reader = redisReaderCreate();
    reader->fn = &bounded_functions(*reader);
    return reader;
}

void RedisLink::close()
{
    error_code ignored;
    socket.close(ignored);
}

awaitable<Result<>> RedisLink::write(std::string bytes)
{
    error_code code;
    if (tls)
        code = std::get<0>(co_await asio::async_write(*tls, asio::buffer(bytes), use_result));
    else
        code = std::get<0>(co_await asio::async_write(socket, asio::buffer(bytes), use_result));
    if (code) co_return std::unexpected{error_of(code, "writing to Redis")};
    co_return Result<>{};
}

awaitable<Result<>> RedisLink::read()
{
    std::tuple<error_code, std::size_t> got;
    if (tls)
        got = co_await tls->async_read_some(asio::buffer(buffer), use_result);
    else
        got = co_await socket.async_read_some(asio::buffer(buffer), use_result);
    const auto [code, size] = got;
    if (code) co_return std::unexpected{error_of(code, "reading from Redis")};
    redisReaderFeed(reader.get(), buffer.data(), size);
    co_return Result<>{};
}

Result<std::optional<RedisReply>> RedisLink::next_reply()
{
    void* raw = nullptr;
    if (redisReaderGetReply(reader.get(), &raw) != REDIS_OK)
        return fail(Errc::malformed, std::string{"the answer is not Redis': "} + reader->errstr);
    if (raw == nullptr) return std::optional<RedisReply>{};
    const std::unique_ptr<void, ReplyFree> owned{raw};
    return reply_of(*static_cast<redisReply*>(raw));
}

awaitable<Result<RedisReply>> RedisLink::round_trip(std::vector<std::string> arguments)
{
    std::string bytes;
    append_command(bytes, arguments);
    Result<> written = co_await write(std::move(bytes));
    if (!written) co_return std::unexpected{written.error()};
    while (true) {
        Result<std::optional<RedisReply>> reply = next_reply();
        if (!reply) co_return std::unexpected{reply.error()};
        if (*reply) co_return checked(std::move(**reply));
        Result<> more = co_await read();
        if (!more) co_return std::unexpected{more.error()};
    }
}

} // namespace penguin::queue
