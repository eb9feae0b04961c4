// control/config/config_reader.h
// Reads one table of a TOML file into typed fields, and says everything that is wrong with it at once.
//
//   use      ConfigSection smtp = root.section("smtp"); smtp.port("port", config.port); ... smtp.end();
//   out      fields keep their default when their key is not there; a problem names file, line and key
//   units    a time is text: "500ms", "30s", "5m", "4h", "4d12h"; a size is text: "64KiB", "256MiB", "1GiB"
//   never    a problem repeats a value that may hold a password (`secret`)
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <toml++/toml.h>

#include "engine/base/clock.h"
#include "engine/base/result.h"
#include "engine/base/units.h"

namespace penguin::control {

struct ConfigProblem {
    std::string file;
    std::size_t line = 0; // 0: not about one line
    std::string key;      // "smtp.port"; empty: about the file
    std::string text;
    friend bool operator==(const ConfigProblem&, const ConfigProblem&) = default;
};
using ConfigProblems = std::vector<ConfigProblem>;

// "penguin-mta.toml:12: smtp.port: must be 1 to 65535"
std::string text_of(const ConfigProblem& problem);

// `file` is only named in problems.
std::expected<toml::table, ConfigProblems> parse_toml(std::string_view text, std::string_view file);

// What is wrong with a value; "" when it is right.
template <class T>
using Rule = std::function<std::string(const T&)>;

// Where keys stand and what is wrong: shared by all sections of one file.
class ConfigReport {
public:
    explicit ConfigReport(std::string file) : file_{std::move(file)} {}
    void add(std::string_view key, std::string text); // at the line of `key`, or of the section that lacks it
    void at(const std::string& key, std::size_t line) { lines_[key] = line; }
    void known(const std::string& key) { known_.insert(key); }
    bool has(std::string_view key) const { return lines_.contains(key); }
    const std::set<std::string>& known_keys() const { return known_; }
    // In the order of the file.
    const ConfigProblems& problems() const { return problems_; }

private:
    std::string file_;
    std::map<std::string, std::size_t, std::less<>> lines_;
    std::set<std::string> known_;
    ConfigProblems problems_;
};

class ConfigSection {
public:
    ConfigSection(const toml::table* table, std::string path, ConfigReport& report);

    ConfigSection section(std::string_view name);
    // Of this table, in the order of the alphabet: for tables whose keys are names that people give.
    std::vector<std::string> keys() const;
    // Every key that nobody asked for is a problem. Called once, after the last field.
    void end();

    void text(std::string_view name, std::string& out, const Rule<std::string>& rule = {});
    void secret(std::string_view name, std::string& out, const Rule<std::string>& rule = {});
    void flag(std::string_view name, bool& out);
    void whole(std::string_view name, std::size_t& out, std::int64_t min, std::int64_t max);
    void port(std::string_view name, std::uint16_t& out);
    void size(std::string_view name, std::uint64_t& out, std::uint64_t min, std::uint64_t max);
    void texts(std::string_view name, std::vector<std::string>& out, std::size_t max,
               const Rule<std::string>& rule = {});
    void map(std::string_view name, std::map<std::string, std::string, std::less<>>& out,
             const Rule<std::string>& rule);

    template <class Time>
    void duration(std::string_view name, Time& out, std::chrono::milliseconds min, std::chrono::milliseconds max)
    {
        read_duration(
            name, min, max, [&out](std::chrono::milliseconds value) { out = std::chrono::duration_cast<Time>(value); },
            std::chrono::duration_cast<std::chrono::milliseconds>(Time{1}));
    }
    void durations(std::string_view name, std::vector<std::chrono::seconds>& out, std::size_t max_count,
                   std::chrono::milliseconds min, std::chrono::milliseconds max);

private:
    // The node of `name`; null when it is not there.
    const toml::node* find(std::string_view name);
    std::string full(std::string_view name) const;
    void read_duration(std::string_view name, std::chrono::milliseconds min, std::chrono::milliseconds max,
                       const std::function<void(std::chrono::milliseconds)>& set, std::chrono::milliseconds step);
    void read_text(std::string_view name, std::string& out, const Rule<std::string>& rule, bool show);

    const toml::table* table_;
    std::string path_;
    ConfigReport* report_;
    std::set<std::string, std::less<>> asked_;
};

} // namespace penguin::control
