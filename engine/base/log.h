// engine/base/log.h
// One line an event: a time, a level, a module, an event name and its fields; JSON or text, to stderr.
//
//   use     log::info("delivery", "lane_opened", {{"site", site.value()}, {"source", address}});
//   never   secrets, message bodies; addresses of people only at debug level
//   limits  a field is cut at kFieldMax octets; writing never blocks a caller on a full pipe (lines are dropped and
//   counted)
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace penguin::log {

enum class Level : std::uint8_t { debug, info, warning, error };
enum class Format : std::uint8_t { text, json };

inline constexpr std::size_t kFieldMax = 2048; // octets
inline constexpr std::size_t kQueueMax = 8192; // lines that wait to be written

class Field {
public:
    Field(std::string_view key, std::string_view value) : key{key}, text{value} {}
    Field(std::string_view key, const char* value) : key{key}, text{value} {}
    Field(std::string_view key, const std::string& value) : key{key}, text{value} {}
    template <class Number>
        requires std::is_arithmetic_v<Number>
    Field(std::string_view key, Number value) : key{key},
                                                text{number(value)},
                                                bare{true}
    {
    }

    std::string_view key;
    std::string text;
    bool bare = false; // a number or a truth value: not quoted in JSON

private:
    static std::string number(bool value) { return value ? "true" : "false"; }
    static std::string number(double value);
    template <class Number>
    static std::string number(Number value)
    {
        return std::to_string(value);
    }
};

struct Options {
    Format format = Format::text;
    Level level = Level::info;
    std::map<std::string, Level, std::less<>> modules; // module -> level, over `level`
};

// Until it is called, info and above goes to stderr as text. Called once, by main, before threads start.
void start(const Options& options);
// Writes what waits. Called at exit.
void flush();

Result<Level> parse_level(std::string_view text);
bool enabled(std::string_view module, Level level);

void write(Level level, std::string_view module, std::string_view event, std::initializer_list<Field> fields);

inline void debug(std::string_view module, std::string_view event, std::initializer_list<Field> fields = {})
{
    write(Level::debug, module, event, fields);
}
inline void info(std::string_view module, std::string_view event, std::initializer_list<Field> fields = {})
{
    write(Level::info, module, event, fields);
}
inline void warning(std::string_view module, std::string_view event, std::initializer_list<Field> fields = {})
{
    write(Level::warning, module, event, fields);
}
inline void error(std::string_view module, std::string_view event, std::initializer_list<Field> fields = {})
{
    write(Level::error, module, event, fields);
}

// One line without its line end, as `write` makes it: for tests and for other sinks.
std::string line_of(Format format, std::string_view time, Level level, std::string_view module, std::string_view event,
                    std::initializer_list<Field> fields);

} // namespace penguin::log
