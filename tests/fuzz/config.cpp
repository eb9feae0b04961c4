// The configuration file: settings that keep their rules, or at least one problem in words, and never half of both. And the small
// forms in it: times, sizes, addresses, URLs.
#include "control/daemon/config.h"
#include "control/daemon/config_rules.h"
#include "engine/dns/cares_channel.h"
#include "engine/queue/redis_url.h"
#include "tests/fuzz/check.h"

using namespace penguin;
using fuzz::check;
using namespace penguin::control;

namespace {

void check_values(const std::string& text)
{
    if (const auto time = parse_duration(text)) {
        check(time->count() >= 0);
        check(parse_duration(duration_text(*time)) == *time);
    }
    static_cast<void>(parse_size(text));
    if (const auto server = dns::ServerAddress::parse(text)) check(dns_server(text).empty());
    if (const auto listen = ListenAddress::parse(text))
        check(listen->socket.empty() ? listen->port > 0 : listen->local());
    if (const auto url = queue::RedisUrl::parse(text)) {
        check(url->database <= queue::RedisUrl::kDatabaseMax && (url->path.empty() != url->host.empty()));
        if (url->password.size() > 8) check(!url->shown().contains(url->password));
    }
    for (const auto& rule :
         {absolute_path, state_dir_path, node_name_or_none, host_label, domain_name_or_none, email_address_or_none,
          key_prefix, log_level, listen_address, dns_server, network, redis_url_or_none, dsn_or_none})
        static_cast<void>(rule(text));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string text{reinterpret_cast<const char*>(data), size};
    check_values(text);
    const ConfigResult config = parse_config(text, "fuzz.toml");
    if (!config) {
        check(!config.error().empty());
        for (const ConfigProblem& problem : config.error()) {
            check(!problem.text.empty() && text_of(problem).starts_with("fuzz.toml"));
            check(!text_of(problem).contains('\n'));
        }
        return 0;
    }
    check(config->smtp.port > 0 && !config->node.state_dir.empty() && !config->http.listen.empty());
    check(config->node.environment == "test" || config->smtp.allow_targets.empty());
    check(!config->delivery.retry_ladder.empty());
    return 0;
}
