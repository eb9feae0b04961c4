#include "bench/peers/postfix.h"

#include <algorithm>
#include <csignal>
#include <fstream>

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include "bench/harness/nameserver.h"
#include "bench/harness/places.h"
#include "bench/harness/proc.h"
#include "bench/peers/settings.h"
#include "bench/peers/smtp_feed.h"

namespace penguin::bench {

namespace {

using namespace std::chrono_literals;

constexpr const char* kPostfix = "/usr/sbin/postfix";
constexpr const char* kMaster = "/usr/lib/postfix/sbin/master";
constexpr const char* kOpendkim = "/usr/sbin/opendkim";
constexpr const char* kOwner = "postfix";  // of its processes and files; opendkim reads its key as the same
constexpr std::size_t kProcessesMax = 100; // clients at once; more are slower on two cores
constexpr auto kReadyWithin = 30s;

void write(const std::filesystem::path& file, const std::string& text)
{
    std::ofstream out{file};
    out << text;
    out.close();
    if (!out) throw BenchError{"cannot write " + file.string()};
}

void give(const std::filesystem::path& path, const std::string& user)
{
    const passwd* entry = ::getpwnam(user.c_str());
    if (entry == nullptr || ::chown(path.c_str(), entry->pw_uid, entry->pw_gid) != 0)
        throw BenchError{"cannot give " + path.string() + " to " + user};
}

} // namespace

std::string filled(std::string text, const std::map<std::string, std::string>& values)
{
    for (const auto& [name, value] : values) {
        const std::string word = "{" + name + "}";
        for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + value.size()))
            text.replace(at, word.size(), value);
    }
    return text;
}

Postfix::Postfix(PeerOptions options)
    : options_{std::move(options)},
      port_{free_port({"127.0.0.1"})},
      milter_port_{free_port({"127.0.0.1"})}
{
    if (::geteuid() != 0) throw BenchError{"Postfix runs only as root: start this as root, or leave Postfix out"};
    for (const char* program : {kPostfix, kOpendkim})
        if (!std::filesystem::exists(program))
            throw BenchError{std::string{"no "} + program + ": ./dev setup installs it"};
    for (const char* folder : {"conf", "queue", "data", "log"})
        std::filesystem::create_directories(options_.folder / folder);
    give(options_.folder / "data", kOwner);
}

std::string Postfix::version(Patience& patience) const
{
    const auto said =
        output_of(patience, "/usr/sbin/postconf", {"-d", "-h", "mail_version"}, options_.folder / "version");
    return said ? said->substr(0, said->find('\n')) : "unknown";
}

void Postfix::write_settings(bool held) const
{
    const std::map<std::string, std::string> values{
        {"folder", options_.folder.string()},
        {"host", source_host(0)},
        {"source", source_address(0)},
        {"port", std::to_string(port_)},
        {"smtp_port", std::to_string(options_.smtp_port)},
        {"connections", std::to_string(options_.connections)},
        {"processes", std::to_string(std::min(options_.connections * options_.sites, kProcessesMax))},
        {"milter", options_.signs_for.empty() ? "" : fmt::format("smtpd_milters = inet:127.0.0.1:{}", milter_port_)},
        {"milter_port", std::to_string(milter_port_)},
        {"domain", options_.signs_for},
        {"owner", kOwner},
        {"sending", held ? "#" : ""}};
    write(options_.folder / "conf" / "main.cf", filled(settings::kMainCf, values));
    write(options_.folder / "conf" / "master.cf", filled(settings::kMasterCf, values));
    write(options_.folder / "opendkim.conf", filled(settings::kOpendkimConf, values));
    write(options_.folder / "resolv.conf", "nameserver " + options_.name_server + "\n");
}

void Postfix::start_opendkim(Patience& patience)
{
    const std::filesystem::path key = options_.folder / "dkim.pem";
    if (!output_of(patience, "/usr/bin/openssl", {"genrsa", "-out", key.string(), "2048"},
                   options_.folder / "openssl.out"))
        throw BenchError{"openssl made no key"};
    give(key, kOwner);
    opendkim_ =
        std::make_unique<Child>(ChildCommand{.name = "opendkim",
                                             .program = kOpendkim,
                                             .arguments = {"-f", "-x", (options_.folder / "opendkim.conf").string()},
                                             .log = options_.folder / "log" / "opendkim.out",
                                             .grace = 10s});
    opendkim_->wait_ready(patience, kReadyWithin, [this] { return listens("127.0.0.1", milter_port_); });
}

void Postfix::start(Patience& patience, bool held)
{
    write_settings(held);
    if (!options_.signs_for.empty()) start_opendkim(patience);
    const std::string conf = (options_.folder / "conf").string();
    if (!output_of(patience, kPostfix, {"-c", conf, "check"}, options_.folder / "log" / "check.out"))
        throw BenchError{"Postfix does not like its settings: " +
                         text_of_file((options_.folder / "log" / "check.out").string())};
    const std::string command = fmt::format("mount --bind {}/resolv.conf /etc/resolv.conf && exec {} -c {} -s",
                                            options_.folder.string(), kMaster, conf);
    master_ = std::make_unique<Child>(ChildCommand{.name = "postfix",
                                                   .program = "/usr/bin/unshare",
                                                   .arguments = {"--mount", "sh", "-c", command},
                                                   .log = options_.folder / "log" / "master.out"});
    master_->wait_ready(patience, kReadyWithin, [this] { return listens("127.0.0.1", port_); });
}

void Postfix::release()
{
    write_settings(false);
    master_->signal(SIGHUP);
}

Roots Postfix::roots() const
{
    Roots roots;
    roots.pids[name()] = {master_->pid()};
    if (opendkim_) roots.pids["opendkim"] = {opendkim_->pid()};
    return roots;
}

} // namespace penguin::bench
