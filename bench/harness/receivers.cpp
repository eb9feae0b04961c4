#include "bench/harness/receivers.h"

#include <csignal>
#include <fstream>

#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include "bench/harness/machine.h"
#include "bench/harness/nameserver.h"
#include "bench/harness/places.h"
#include "bench/harness/proc.h"

namespace penguin::bench {

using namespace std::chrono_literals;

Receivers::Receivers(Patience& patience, std::filesystem::path folder, const Options& options)
    : folder_{std::move(folder)}
{
    std::filesystem::create_directories(folder_);
    std::vector<std::string> words{"sink",
                                   "--name",
                                   site_host(0),
                                   "--threads",
                                   std::to_string(options.threads),
                                   "--stats",
                                   (folder_ / "counts.json").string()};
    if (options.log.empty())
        words.emplace_back("--count-only");
    else
        words.insert(words.end(), {"--log", options.log});
    if (options.pace > 0) {
        const std::filesystem::path profile = folder_ / "profile.toml";
        std::ofstream{profile} << fmt::format("name = \"paced\"\npace.per-s = {}\n", options.pace);
        words.insert(words.end(), {"--profile", profile.string()});
    }
    words.insert(words.end(), options.more.begin(), options.more.end());
    if (!options.tls) words.emplace_back("--no-tls");
    if (!options.pipelining) words.emplace_back("--no-pipelining");
    if (!options.chunking) words.emplace_back("--no-chunking");
    for (std::size_t site = 0; site < options.sites; ++site) {
        const std::string address = options.relayed ? relayed_address(site) : site_address(site);
        words.insert(words.end(), {"--listen", fmt::format("{}:{}", address, options.port)});
    }
    child_ = std::make_unique<Child>(ChildCommand{.name = "the sink",
                                                  .program = own_folder() / "penguin-bench",
                                                  .arguments = std::move(words),
                                                  .log = folder_ / "sink.out",
                                                  .grace = 10s});
    child_->wait_ready(patience, 30s, [this] { return child_->output().ends_with("ready\n"); });
}

boost::json::object Receivers::counts(Patience& patience)
{
    const std::filesystem::path file = folder_ / "counts.json";
    std::filesystem::remove(file);
    child_->signal(SIGUSR1);
    patience.until(
        10s, "the sink tells its counts",
        [&] {
            if (!child_->running()) throw BenchError{"the sink ended:\n" + child_->last_words()};
            return std::filesystem::exists(file);
        },
        1ms);
    return boost::json::parse(text_of_file(file.string())).as_object();
}

std::uint64_t Receivers::messages(Patience& patience)
{
    return counts(patience).at("messages").to_number<std::uint64_t>();
}

} // namespace penguin::bench
