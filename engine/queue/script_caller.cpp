#include "engine/queue/script_caller.h"

#include "engine/base/crash_point.h"

namespace penguin::queue {

namespace {

bool is_unknown_script(const Result<RedisReply>& reply)
{
    return reply && reply->error() != nullptr && reply->error()->text.starts_with("NOSCRIPT");
}

} // namespace

awaitable<Result<>> ScriptCaller::load(const Script& script)
{
    const Result<RedisReply> sha = co_await command({"SCRIPT", "LOAD", std::string{script.text}});
    if (!sha) co_return fail(sha.error(), "loading the script " + std::string{script.name});
    co_return Result<>{};
}

awaitable<Result<>> ScriptCaller::load_all()
{
    for (const Script* script : kScripts) {
        Result<> loaded = co_await load(*script);
        if (!loaded) co_return loaded;
    }
    co_return Result<>{};
}

awaitable<Result<RedisReply>> ScriptCaller::run(const Script& script, std::vector<std::string> arguments)
{
    std::vector<std::string> call{"EVALSHA", std::string{script.sha1}, "1", key("nodes"), prefix_};
    call.insert(call.end(), std::make_move_iterator(arguments.begin()), std::make_move_iterator(arguments.end()));
    crash_point(script.before);
    Result<RedisReply> reply = co_await redis_.exchange(call, deadline_);
    if (is_unknown_script(reply)) {
        const Result<> loaded = co_await load(script);
        if (!loaded) co_return std::unexpected{loaded.error()};
        reply = co_await redis_.exchange(std::move(call), deadline_);
    }
    crash_point(script.after);
    Result<RedisReply> good = checked(std::move(reply));
    if (!good) co_return fail(good.error(), script.name);
    co_return good;
}

awaitable<Result<RedisReply>> ScriptCaller::command(std::vector<std::string> arguments)
{
    return redis_.command(std::move(arguments), deadline_);
}

} // namespace penguin::queue
