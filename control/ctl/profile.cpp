#include "control/ctl/profile.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace penguin::control::ctl {

namespace {

struct Text {
    std::string octets;
    bool others_can_read = false;
};

// Errors: not_found (no such file), local_fault, too_long.
Result<Text> read_file(const std::filesystem::path& path, std::size_t max)
{
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return fail(errno == ENOENT ? Errc::not_found : Errc::local_fault,
                    fmt::format("{}: {}", path.string(), std::strerror(errno)));
    struct stat status{};
    ::fstat(file, &status);
    Text text{.octets = std::string(max + 1, '\0'),
              .others_can_read = (status.st_mode & 077) != 0 && S_ISREG(status.st_mode)};
    std::size_t size = 0;
    ssize_t count = 1;
    while (count > 0 && size < text.octets.size()) {
        count = ::read(file, text.octets.data() + size, text.octets.size() - size);
        if (count > 0) size += static_cast<std::size_t>(count);
    }
    ::close(file);
    if (count < 0) return fail(Errc::local_fault, fmt::format("{}: cannot be read", path.string()));
    if (size > max) return fail(Errc::too_long, fmt::format("{}: is larger than {} octets", path.string(), max));
    text.octets.resize(size);
    return text;
}

std::unexpected<Error> too_open(const std::filesystem::path& path)
{
    return fail(Errc::denied,
                fmt::format("{}: holds a key and others can read it: chmod 600 {}", path.string(), path.string()));
}

std::string path_rule(const std::string& text)
{
    return text.starts_with('/') || text.starts_with("~/") ? "" : "must be an absolute path, or begin with ~/";
}

std::string url_rule(const std::string& text)
{
    const Result<ApiUrl> url = ApiUrl::parse(text);
    return url ? "" : url.error().detail;
}

ProfileText read_profile(ConfigSection in, const std::string& path, ConfigReport& report)
{
    ProfileText out;
    in.text("url", out.url, url_rule);
    in.secret("key", out.key);
    in.text("key_file", out.key_file, path_rule);
    in.text("ca_file", out.ca_file, path_rule);
    in.end();
    if (!out.key.empty() && !out.key_file.empty()) report.add(path + ".key_file", "one of key and key_file, not both");
    return out;
}

std::string joined(const ConfigProblems& problems)
{
    std::string out;
    for (const ConfigProblem& problem : problems) out += (out.empty() ? "" : "\n") + text_of(problem);
    return out;
}

std::string at_home(const std::string& path, const Environment& environment)
{
    return path.starts_with("~/") ? environment.home + path.substr(1) : path;
}

Result<std::string> key_in(const std::filesystem::path& path)
{
    const Result<Text> text = read_file(path, kKeyMax);
    if (!text) return std::unexpected{text.error()};
    if (text->others_can_read) return too_open(path);
    std::string key = text->octets.substr(0, text->octets.find_last_not_of(" \t\r\n") + 1);
    if (key.empty() || key.find_first_of(" \t\r\n") != std::string::npos)
        return fail(Errc::bad_value, fmt::format("{}: must hold a key, in one line", path.string()));
    return key;
}

Result<Profile> profile_of(const std::string& name, const ProfileText& text, const Environment& environment)
{
    Profile profile{.from = "profile " + name,
                    .url = ApiUrl::parse(text.url).value(), // the file's rules have looked at it
                    .key = text.key,
                    .ca_file = at_home(text.ca_file, environment)};
    if (text.key_file.empty()) return profile;
    Result<std::string> key = key_in(at_home(text.key_file, environment));
    if (!key) return std::unexpected{key.error()};
    profile.key = std::move(*key);
    return profile;
}

Result<Profile> profile_of_environment(const Environment& environment)
{
    const Result<ApiUrl> url = ApiUrl::parse(environment.url.empty() ? kUsualUrl : environment.url);
    if (!url) return fail(Errc::bad_value, "PENGUIN_URL: " + url.error().detail);
    return Profile{.from = "PENGUIN_KEY", .url = *url, .key = environment.key, .ca_file = {}};
}

Result<CtlConfig> load(const std::filesystem::path& file)
{
    const Result<Text> text = read_file(file, kConfigMax);
    if (!text) return std::unexpected{text.error()};
    auto config = parse_ctl_config(text->octets, file.string());
    if (!config) return fail(Errc::bad_value, joined(config.error()));
    if (config->holds_key && text->others_can_read) return too_open(file);
    return std::move(*config);
}

} // namespace

std::expected<CtlConfig, ConfigProblems> parse_ctl_config(std::string_view text, std::string_view file)
{
    const std::expected<toml::table, ConfigProblems> table = parse_toml(text, file);
    if (!table) return std::unexpected{table.error()};
    ConfigReport report{std::string{file}};
    ConfigSection root{&*table, "", report};
    CtlConfig config;
    root.text("default", config.usual);
    ConfigSection profiles = root.section("profiles");
    for (const std::string& name : profiles.keys()) {
        const ProfileText& profile = config.profiles[name] =
            read_profile(profiles.section(name), "profiles." + name, report);
        config.holds_key = config.holds_key || !profile.key.empty();
    }
    root.end();
    if (report.has("default") && !config.profiles.contains(config.usual))
        report.add("default", "names no profile of this file");
    if (!report.problems().empty()) return std::unexpected{report.problems()};
    return config;
}

Environment Environment::of_process()
{
    const auto value = [](const char* name) -> std::string {
        const char* const text = std::getenv(name);
        return text == nullptr ? "" : text;
    };
    return {.url = value("PENGUIN_URL"),
            .key = value("PENGUIN_KEY"),
            .config = value("PENGUINCTL_CONFIG"),
            .xdg_config_home = value("XDG_CONFIG_HOME"),
            .home = value("HOME")};
}

std::filesystem::path Environment::config_file() const
{
    if (!config.empty()) return config;
    const std::filesystem::path folder = xdg_config_home.empty() ? home + "/.config" : xdg_config_home;
    return folder / "penguinctl" / "config.toml";
}

Result<Profile> choose_profile(const Environment& environment, const std::string& wanted)
{
    const bool by_environment = !environment.url.empty() || !environment.key.empty();
    if (wanted.empty() && by_environment) return profile_of_environment(environment);
    const std::filesystem::path file = environment.config_file();
    const Result<CtlConfig> config = load(file);
    const bool no_file = !config && config.error().code == Errc::not_found && environment.config.empty();
    if (no_file && wanted.empty())
        return Profile{.from = {}, .url = ApiUrl::parse(kUsualUrl).value(), .key = {}, .ca_file = {}};
    if (!config) return std::unexpected{config.error()};
    const std::string& name = wanted.empty() ? config->usual : wanted;
    const auto found = config->profiles.find(name);
    if (found == config->profiles.end())
        return fail(Errc::missing, fmt::format("{}: no profile '{}' is in it", file.string(), name));
    return profile_of(name, found->second, environment);
}

} // namespace penguin::control::ctl
