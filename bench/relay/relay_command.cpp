#include "bench/relay/relay_command.h"

#include <cmath>
#include <csignal>
#include <cstdio>
#include <memory>
#include <vector>

#include <boost/asio/signal_set.hpp>

#include "bench/harness/listening.h"
#include "bench/relay/relay.h"

namespace penguin::bench {

namespace {

struct Words {
    std::vector<std::string> listen;
    std::vector<std::string> to;
    double round_trip_ms = 0;
};

Result<std::vector<RelayOptions>> options_of(const Words& words)
{
    if (words.listen.size() != words.to.size())
        return fail(Errc::bad_value, "each --listen needs a --to: they are " + std::to_string(words.listen.size()) +
                                         " and " + std::to_string(words.to.size()));
    constexpr double kMicro = 1e3;
    const std::chrono::microseconds one_way{std::llround(words.round_trip_ms / 2 * kMicro)};
    std::vector<RelayOptions> all;
    for (std::size_t i = 0; i < words.listen.size(); ++i) {
        const Result<asio::ip::tcp::endpoint> listen = endpoint_of("--listen", words.listen[i]);
        if (!listen) return std::unexpected{listen.error()};
        const Result<asio::ip::tcp::endpoint> to = endpoint_of("--to", words.to[i]);
        if (!to) return std::unexpected{to.error()};
        all.push_back({.listen = *listen, .to = *to, .one_way = one_way});
    }
    return all;
}

Result<> start(asio::io_context& io, const Words& words)
{
    const Result<std::vector<RelayOptions>> all = options_of(words);
    if (!all) return std::unexpected{all.error()};
    for (const RelayOptions& options : *all) {
        const Result<asio::ip::tcp::endpoint> listening = start_relay(io, options);
        if (!listening) return std::unexpected{listening.error()};
        std::printf("listening %s %u\n", listening->address().to_string().c_str(), unsigned{listening->port()});
    }
    return {};
}

int run(const Words& words)
{
    raise_descriptor_limit();
    asio::io_context io{1};
    asio::signal_set signals{io, SIGTERM, SIGINT};
    signals.async_wait([&io](const error_code&, int) { io.stop(); });
    if (const Result<> started = start(io, words); !started) {
        std::fprintf(stderr, "penguin-bench relay: %s\n", started.error().detail.c_str());
        return 1;
    }
    std::puts("ready");
    std::fflush(stdout);
    io.run();
    return 0;
}

} // namespace

void add_relay_command(CLI::App& app, int& status)
{
    auto words = std::make_shared<Words>();
    constexpr double kRoundTripMax = 10'000;
    CLI::App* command = app.add_subcommand("relay", "Pass TCP connections on, as from far away");
    command->add_option("--listen", words->listen, "ADDRESS:PORT, may be repeated; port 0: any")->required();
    command->add_option("--to", words->to, "ADDRESS:PORT that the --listen of the same place leads to")->required();
    command->add_option("--round-trip-ms", words->round_trip_ms, "Each octet is held for half of it, in each direction")
        ->required()
        ->check(CLI::Range(0.0, kRoundTripMax));
    command->callback([words, &status] { status = run(*words); });
}

} // namespace penguin::bench
