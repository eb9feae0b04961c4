#include "bench/sink/sink_recorder.h"

#include <cerrno>
#include <cstring>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include <boost/json.hpp>

namespace penguin::bench {

namespace {

Error errno_error(std::string_view doing)
{
    return Error{Errc::local_fault, std::string{doing} + ": " + std::strerror(errno)};
}

Result<> write_all(int file, std::string_view bytes)
{
    while (!bytes.empty()) {
        const ssize_t count = ::write(file, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return std::unexpected{errno_error("writing")};
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
}

Result<> write_file(const std::filesystem::path& path, std::string_view bytes)
{
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (file < 0) return std::unexpected{errno_error(path.string())};
    const Result<> written = write_all(file, bytes);
    ::close(file);
    return written;
}

void add_text(std::string& json, std::string_view key, std::string_view value)
{
    json += ",\"";
    json += key;
    json += "\":";
    json += boost::json::serialize(boost::json::string_view{value.data(), value.size()});
}

// What every line about the message has; open at its end.
std::string facts(const TakenMessage& message, std::string_view message_id, std::string_view file)
{
    std::string json = "{\"time_ms\":" + std::to_string(to_unix_ms(message.at));
    add_text(json, "listener", message.listener);
    json += ",\"connection\":" + std::to_string(message.connection);
    json += message.tls ? ",\"tls\":true" : ",\"tls\":false";
    add_text(json, "helo", message.helo);
    add_text(json, "mail_from", message.envelope.sender ? message.envelope.sender->text() : "");
    add_text(json, "message_id", message_id);
    json += ",\"size\":" + std::to_string(message.size);
    add_text(json, "result", "accepted");
    if (!file.empty()) add_text(json, "file", file);
    return json;
}

bool starts_folded(std::string_view text, std::string_view lower_case)
{
    if (text.size() < lower_case.size()) return false;
    for (std::size_t i = 0; i < lower_case.size(); ++i)
        if ((text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]) != lower_case[i]) return false;
    return true;
}

std::string_view trimmed(std::string_view text)
{
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
    return text;
}

} // namespace

std::string_view message_id_of(std::string_view message)
{
    constexpr std::string_view kName = "message-id:";
    while (!message.empty()) {
        const std::size_t end = std::min(message.find('\n'), message.size());
        const std::string_view line = message.substr(0, end);
        if (line.empty() || line == "\r") return {};
        message.remove_prefix(std::min(end + 1, message.size()));
        if (!starts_folded(line, kName)) continue;
        const std::string_view value = trimmed(line.substr(kName.size()));
        if (!value.empty()) return value;
        // Folded right behind the name, as long ids are.
        return trimmed(message.substr(0, message.find('\n')));
    }
    return {};
}

SinkRecorder::~SinkRecorder()
{
    if (log_ >= 0) ::close(log_);
}

Result<> SinkRecorder::open()
{
    if (!options_.log.empty()) {
        log_ = ::open(options_.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        if (log_ < 0) return std::unexpected{errno_error(options_.log.string())};
    }
    if (options_.keep.empty()) return {};
    std::error_code code;
    std::filesystem::create_directories(options_.keep, code);
    if (code) return fail(Errc::local_fault, options_.keep.string() + ": " + code.message());
    return {};
}

Result<> SinkRecorder::record(const TakenMessage& message)
{
    if (log_ < 0 && options_.keep.empty()) return {};
    const std::string_view message_id = message_id_of(message.text);
    std::string file;
    if (!options_.keep.empty()) {
        Result<std::string> kept = keep(message, message_id);
        if (!kept) return std::unexpected{kept.error()};
        file = std::move(*kept);
    }
    return log_ < 0 ? Result<>{} : log(message, message_id, file);
}

Result<std::string> SinkRecorder::keep(const TakenMessage& message, std::string_view message_id)
{
    const std::string name = std::to_string(to_unix_ms(message.at)) + "-" + std::to_string(::getpid()) + "-" +
                             std::to_string(kept_.fetch_add(1, std::memory_order_relaxed));
    std::string json = facts(message, message_id, name + ".eml") + ",\"rcpt\":[";
    for (const EmailAddress& recipient : message.envelope.recipients) {
        if (json.back() != '[') json += ',';
        json += boost::json::serialize(boost::json::string_view{recipient.text()});
    }
    json += "]}\n";
    if (const Result<> done = write_file(options_.keep / (name + ".json"), json); !done)
        return std::unexpected{done.error()};
    if (const Result<> done = write_file(options_.keep / (name + ".eml"), message.text); !done)
        return std::unexpected{done.error()};
    return name + ".eml";
}

Result<> SinkRecorder::log(const TakenMessage& message, std::string_view message_id, std::string_view file)
{
    const std::string common = facts(message, message_id, file);
    std::string lines;
    for (const EmailAddress& recipient : message.envelope.recipients) {
        lines += common;
        add_text(lines, "rcpt", recipient.text());
        lines += "}\n";
    }
    return write_all(log_, lines);
}

} // namespace penguin::bench
