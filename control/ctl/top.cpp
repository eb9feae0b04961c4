#include "control/ctl/top.h"

#include <cstdio>

#include <termios.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>

#include "control/ctl/arguments.h"
#include "control/ctl/problem_text.h"
#include "control/ctl/top_frame.h"

namespace penguin::control::ctl {

namespace {

// Keys come one by one and are not shown; both screens are as they were afterwards.
class Screen {
public:
    Screen() : live_{::isatty(STDOUT_FILENO) == 1}, keys_{live_ && ::tcgetattr(STDIN_FILENO, &before_) == 0}
    {
        if (live_) fmt::print("\x1b[?1049h\x1b[?25l");
        if (!keys_) return;
        termios raw = before_;
        raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
        ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    }
    ~Screen()
    {
        if (keys_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
        if (live_) fmt::print("\x1b[?25h\x1b[?1049l");
        std::fflush(stdout);
    }
    Screen(const Screen&) = delete;
    Screen& operator=(const Screen&) = delete;

    bool keys() const { return keys_; }
    void show(const std::string& frame) const
    {
        fmt::print("{}{}{}", live_ ? "\x1b[H\x1b[2J" : "", frame, live_ ? "" : "\n");
        std::fflush(stdout);
    }

private:
    bool live_;
    termios before_{};
    bool keys_;
};

awaitable<Result<Look>> look(ApiClient& client)
{
    const Result<http_client::Answer> answer = co_await client.call(
        {.method = "GET", .target = "/metrics", .body = {}, .if_match = {}, .idempotency_key = {}, .repeatable = true});
    if (!answer) co_return std::unexpected{answer.error()};
    if (answer->status != 200)
        co_return fail(Errc::refused, fmt::format("/metrics answered with status {}", answer->status));
    Result<Metrics> metrics = Metrics::parse(answer->body);
    if (!metrics) co_return std::unexpected{metrics.error()};
    co_return Look{.metrics = std::move(*metrics), .at = std::chrono::steady_clock::now()};
}

// Two looks, one frame.
awaitable<int> show_once(ApiClient& client, TopOptions options)
{
    std::optional<Look> before;
    for (int i = 0; i < 2; ++i) {
        if (before) co_await sleep_for(options.interval);
        Result<Look> now = co_await look(client);
        if (!now) {
            fmt::print(stderr, "{}", unreachable_text(now.error(), options.url));
            co_return kUnreachable;
        }
        if (before) fmt::print("{}", top_frame(before, *now));
        before = std::move(*now);
    }
    co_return kDone;
}

awaitable<int> show_frames(ApiClient& client, const Screen& screen, TopOptions options)
{
    std::optional<Look> before;
    bool more = true;
    while (more) {
        const std::string title = fmt::format("{}   {}\n", options.url, to_rfc3339(wall_now()));
        Result<Look> now = co_await look(client);
        screen.show(title + (now ? top_frame(before, *now) : unreachable_text(now.error(), options.url)));
        if (now) before = std::move(*now);
        more = co_await sleep_for(options.interval);
    }
    co_return kDone;
}

void end_on_q(asio::io_context& io, asio::posix::stream_descriptor& keys, char& key)
{
    keys.async_read_some(asio::buffer(&key, 1), [&io, &keys, &key](const error_code& code, std::size_t) {
        if (code) return; // nobody is at the keyboard
        if (key == 'q' || key == 'Q') return io.stop();
        end_on_q(io, keys, key);
    });
}

} // namespace

int run_top(ApiClient& client, const TopOptions& options)
{
    asio::io_context io;
    int status = kDone;
    std::exception_ptr failed;
    const auto ended = [&](const std::exception_ptr& thrown, int gave) {
        failed = thrown;
        status = gave;
        io.stop();
    };
    if (options.once) {
        asio::co_spawn(io, show_once(client, options), ended);
        io.run();
    } else {
        const Screen screen;
        asio::signal_set signals{io, SIGINT, SIGTERM};
        signals.async_wait([&io](const error_code& code, int) {
            if (!code) io.stop();
        });
        asio::posix::stream_descriptor keys{io};
        char key = 0;
        if (screen.keys()) {
            keys.assign(::dup(STDIN_FILENO));
            end_on_q(io, keys, key);
        }
        asio::co_spawn(io, show_frames(client, screen, options), ended);
        io.run();
    }
    if (failed) std::rethrow_exception(failed);
    return status;
}

} // namespace penguin::control::ctl
