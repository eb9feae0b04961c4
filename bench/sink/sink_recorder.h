// bench/sink/sink_recorder.h
// What the sink writes down of each message it takes, before it says 250: so that who reads the log or the folder, even
// after a kill -9 of the sink, sees every message whose sender was told that it arrived.
//
//   log      one JSON line a recipient, appended by one write(2) a message: time_ms, listener, connection, tls, helo,
//            mail_from, rcpt, message_id, size, result, file (when kept)
//   keep     <folder>/<time_ms>-<pid>-<n>.eml, the message as it came, dots unstuffed; and beside it, written first,
//            the same name with .json: one object with the fields of the log, `rcpt` being a list
//   errors   local_fault: the sink must not say 250
//   threads  may be shared
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "engine/base/clock.h"
#include "engine/base/result.h"
#include "engine/mail/envelope.h"

namespace penguin::bench {

struct TakenMessage {
    const Envelope& envelope;
    std::string_view text;     // at least the header; all of it when messages are kept
    std::uint64_t size = 0;    // octets
    std::string_view listener; // "127.0.0.1:2525"
    std::string_view helo;
    std::uint64_t connection = 0;
    bool tls = false;
    WallTime at;
};

// The value of the field Message-ID, unfolded lines only; empty when there is none.
std::string_view message_id_of(std::string_view message);

class SinkRecorder {
public:
    struct Options {
        std::filesystem::path log;  // empty: no log
        std::filesystem::path keep; // empty: messages are not kept
    };

    explicit SinkRecorder(Options options) : options_{std::move(options)} {}
    ~SinkRecorder();
    SinkRecorder(const SinkRecorder&) = delete;
    SinkRecorder& operator=(const SinkRecorder&) = delete;

    // Opens the log, makes the folder.
    Result<> open();
    bool wants_header() const noexcept { return log_ >= 0; }
    bool wants_message() const noexcept { return !options_.keep.empty(); }
    Result<> record(const TakenMessage& message);

private:
    Result<std::string> keep(const TakenMessage& message, std::string_view message_id);
    Result<> log(const TakenMessage& message, std::string_view message_id, std::string_view file);

    Options options_;
    int log_ = -1; // file descriptor
    std::atomic<std::uint64_t> kept_{0};
};

} // namespace penguin::bench
