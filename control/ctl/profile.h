// control/ctl/profile.h
// Where the API is and with which key: one place that says both, so that no key goes to another's URL.
//
//   order    --profile NAME; else PENGUIN_URL and PENGUIN_KEY when one of them is set; else `default` of the file, or its profile
//            "default"; else kUsualUrl without a key
//   file     $PENGUINCTL_CONFIG, else ~/.config/penguinctl/config.toml (or in $XDG_CONFIG_HOME); TOML:
//                default = "prod"
//                [profiles.prod]
//                url = "https://mta1.example.com:8025"
//                key_file = "~/.config/penguinctl/prod.key"     # or key = "pm_live_..."
//                ca_file = "/etc/ssl/penguin-mta.pem"           # whom to trust; else the system's authorities
//   rules    unknown keys are refused; a file that holds a key must be for its owner alone (mode 0600, or 0400)
//   errors   bad_value, denied (mode), missing (no such profile), local_fault; the detail names file, line and key, never a secret
//   limits   kConfigMax, kKeyMax octets
#pragma once

#include <expected>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "control/config/config_reader.h"
#include "control/ctl/api_url.h"

namespace penguin::control::ctl {

inline constexpr std::size_t kConfigMax = 1 << 20;
inline constexpr std::size_t kKeyMax = 16 * 1024; // a token may be long

struct Profile {
    std::string from; // where its key comes from, for people: "profile prod", "PENGUIN_KEY"
    ApiUrl url;
    std::string key;
    std::string ca_file;
};

struct ProfileText { // as the file has it
    std::string url{kUsualUrl};
    std::string key;
    std::string key_file;
    std::string ca_file;
};

struct CtlConfig {
    std::string usual = "default"; // the key `default`
    std::map<std::string, ProfileText, std::less<>> profiles;
    bool holds_key = false;
};

// `file` is only named in problems.
std::expected<CtlConfig, ConfigProblems> parse_ctl_config(std::string_view text, std::string_view file);

// What the process was given; empty is as good as not set.
struct Environment {
    std::string url, key, config, xdg_config_home, home;
    static Environment of_process();
    std::filesystem::path config_file() const;
};

Result<Profile> choose_profile(const Environment& environment, const std::string& wanted);

} // namespace penguin::control::ctl
