#include "engine/queue/redis_reply.h"

#include <charconv>

namespace penguin::queue {

namespace {

struct Meaning {
    std::string_view prefix;
    Errc code;
};

constexpr Meaning kMeanings[] = {
    {"STALE ", Errc::stale},            // ours, see scripts/common.lua
    {"RECOVERING ", Errc::unavailable}, // ours too
    {"CONTRACT ", Errc::unavailable},   // and this
    {"OOM ", Errc::full},
    {"NOAUTH ", Errc::denied},
    {"WRONGPASS ", Errc::denied},
    {"NOPERM ", Errc::denied},
    {"LOADING ", Errc::unavailable},
    {"BUSY ", Errc::unavailable},
    {"MASTERDOWN ", Errc::unavailable},
    {"READONLY ", Errc::unavailable},
    {"CLUSTERDOWN ", Errc::unavailable},
    {"TRYAGAIN ", Errc::unavailable},
    {"MISCONF ", Errc::unavailable}, // the last write of the AOF failed: it takes no writes until one works
};

bool is_redirect(std::string_view text) { return text.starts_with("MOVED ") || text.starts_with("ASK "); }

std::unexpected<Error> failure_of(const std::string& text)
{
    if (is_redirect(text))
        return fail(Errc::unavailable, "Redis is a cluster and another server owns this pool's slot (" + text +
                                           "): give the address of that server");
    for (const Meaning& meaning : kMeanings)
        if (text.starts_with(meaning.prefix)) return fail(meaning.code, "Redis: " + text);
    return fail(Errc::refused, "Redis: " + text);
}

} // namespace

std::int64_t RedisReply::integer() const
{
    if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
    std::int64_t number = 0;
    const std::string& digits = text();
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return code == std::errc{} && end == digits.data() + digits.size() ? number : 0;
}

const std::string& RedisReply::text() const
{
    static const std::string kNone;
    const auto* text = std::get_if<std::string>(&value);
    return text == nullptr ? kNone : *text;
}

const RedisReply::Array& RedisReply::array() const
{
    static const Array kNone;
    const auto* array = std::get_if<Array>(&value);
    return array == nullptr ? kNone : *array;
}

RedisReply::Array& RedisReply::array()
{
    if (auto* array = std::get_if<Array>(&value)) return *array;
    return value.emplace<Array>();
}

Result<RedisReply> checked(Result<RedisReply> reply)
{
    if (!reply || reply->error() == nullptr) return reply;
    return failure_of(reply->error()->text);
}

std::string_view info_field(std::string_view info, std::string_view name)
{
    const std::string key = "\n" + std::string{name} + ":";
    const auto at = info.find(key);
    if (at == std::string_view::npos) return "";
    const std::string_view rest = info.substr(at + key.size());
    return rest.substr(0, rest.find_first_of("\r\n"));
}

} // namespace penguin::queue
