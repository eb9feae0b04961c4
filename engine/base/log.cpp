#include "engine/base/log.h"

#include <algorithm>

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "engine/base/clock.h"

namespace penguin::log {

namespace {

Options& options()
{
    static Options value;
    return value;
}

std::shared_ptr<spdlog::logger>& sink()
{
    static std::shared_ptr<spdlog::logger> value;
    return value;
}

std::string_view name_of(Level level)
{
    switch (level) {
    case Level::debug: return "debug";
    case Level::info: return "info";
    case Level::warning: return "warning";
    case Level::error: return "error";
    }
    return "unknown";
}

void append_json_string(std::string& out, std::string_view text)
{
    out += '"';
    for (const char c : text.substr(0, kFieldMax)) {
        const auto octet = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\')
            (out += '\\') += c;
        else if (octet < 0x20 || octet == 0x7F)
            out += fmt::format("\\u{:04x}", octet);
        else
            out += c;
    }
    out += '"';
}

// Quoted only when it must be: a line stays one line, whatever a remote server said.
void append_text_value(std::string& out, std::string_view text)
{
    const bool plain = !text.empty() && text.find_first_of(" \"=\\") == std::string_view::npos &&
                       std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
    if (plain)
        out += text.substr(0, kFieldMax);
    else
        append_json_string(out, text);
}

} // namespace

std::string Field::number(double value) { return fmt::format("{}", value); }

void start(const Options& chosen)
{
    options() = chosen;
    spdlog::init_thread_pool(kQueueMax, 1);
    auto target = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    sink() = std::make_shared<spdlog::async_logger>("penguin", target, spdlog::thread_pool(),
                                                    spdlog::async_overflow_policy::overrun_oldest);
    sink()->set_pattern("%v");
    sink()->set_level(spdlog::level::trace);
}

void flush()
{
    if (!sink()) return;
    sink()->flush();
    spdlog::shutdown(); // its thread has written everything and is gone: nobody else lets go of the sink while we do
    sink().reset();
}

Result<Level> parse_level(std::string_view text)
{
    for (const Level level : {Level::debug, Level::info, Level::warning, Level::error})
        if (text == name_of(level)) return level;
    return fail(Errc::bad_value, "a level is debug, info, warning or error");
}

bool enabled(std::string_view module, Level level)
{
    const auto found = options().modules.find(module);
    return level >= (found == options().modules.end() ? options().level : found->second);
}

std::string line_of(Format format, std::string_view time, Level level, std::string_view module, std::string_view event,
                    std::initializer_list<Field> fields)
{
    std::string out;
    if (format == Format::json) {
        out = fmt::format(R"({{"time":"{}","level":"{}","module":"{}","event":"{}")", time, name_of(level), module,
                          event);
        for (const Field& field : fields) {
            out += ',';
            append_json_string(out, field.key);
            out += ':';
            if (field.bare)
                out += field.text;
            else
                append_json_string(out, field.text);
        }
        return out += '}';
    }
    out = fmt::format("{} {} {} {}", time, name_of(level), module, event);
    for (const Field& field : fields) {
        ((out += ' ') += field.key) += '=';
        append_text_value(out, field.text);
    }
    return out;
}

void write(Level level, std::string_view module, std::string_view event, std::initializer_list<Field> fields)
{
    if (!enabled(module, level)) return;
    const std::string line = line_of(options().format, to_rfc3339(wall_now()), level, module, event, fields);
    if (sink())
        sink()->info(line);
    else
        fmt::print(stderr, "{}\n", line);
}

} // namespace penguin::log
