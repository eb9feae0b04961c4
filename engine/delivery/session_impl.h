// engine/delivery/session_impl.h
// The connection behind a Session. session_open.cpp brings it to where mail can go, session.cpp delivers.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "engine/delivery/session.h"
#include "engine/net/byte_stream.h"
#include "engine/smtp/body_encoder.h"
#include "engine/smtp/reply_parser.h"
#include "engine/smtp/transaction.h"

namespace penguin::delivery {

class Session::Impl {
public:
    Impl(Endpoint endpoint, SessionOptions options, SendPermit permit)
        : endpoint_{std::move(endpoint)},
          options_{options},
          permit_{std::move(permit)},
          remote_{endpoint_.host.text() + " (" + endpoint_.target.address().to_string() + ")"}
    {
    }

    awaitable<std::optional<smtp::Outcome>> open();
    awaitable<Report> deliver(MailPtr mail, NextMail next);
    awaitable<void> quit();
    void cut();

    const smtp::Capabilities& offered() const noexcept { return offered_; }
    bool tls() const noexcept { return stream_ && stream_->encrypted(); }
    const std::string& remote() const noexcept { return remote_; }

private:
    static constexpr std::size_t kReadMax = 4096; // octets that we read ahead of the dialogue

    awaitable<Result<>> connect();
    awaitable<std::optional<smtp::Outcome>> hear_greeting();
    awaitable<std::optional<smtp::Outcome>> say_hello();
    awaitable<std::optional<smtp::Outcome>> start_tls();
    std::optional<smtp::Outcome> in_clear() const;
    awaitable<Result<>> handshake();

    awaitable<Result<smtp::Reply>> command(std::string line, Duration limit);
    awaitable<Result<>> write(std::string_view bytes, Duration limit);
    awaitable<Result<smtp::Reply>> read_reply(Duration limit);
    std::optional<Result<smtp::Reply>> reply_that_came();

    // One mail on its way.
    struct Course {
        MailPtr mail;
        smtp::Body body;
        smtp::Transaction transaction;
    };
    Result<std::unique_ptr<Course>> begin(MailPtr mail) const;
    std::unique_ptr<Course> begin_behind(const NextMail& next) const;
    awaitable<void> step(Course& course, const NextMail& next);
    awaitable<void> write_body(Course& course, const NextMail& next);
    awaitable<Result<>> write_last(std::span<const std::string_view> pieces, std::unique_ptr<Course> behind);
    awaitable<void> hear(smtp::Transaction& transaction);
    bool interrupted(smtp::Transaction& transaction);
    void on_write_failed(smtp::Transaction& transaction, const Error& why);
    void give_up(smtp::Transaction& transaction, const Error& why);
    Duration timeout_of(smtp::Phase phase) const;
    SteadyTime deadline(Duration limit) const { return std::min(limit_, std::chrono::steady_clock::now() + limit); }
    void close();
    static Error unasked(const smtp::Reply& reply);

    Endpoint endpoint_;
    SessionOptions options_;
    SendPermit permit_;
    std::string remote_;
    std::unique_ptr<net::ByteStream> stream_;
    smtp::ReplyParser parser_;
    std::array<char, kReadMax> buffer_;
    std::string_view unread_; // of buffer_
    smtp::Capabilities offered_;
    std::unique_ptr<Course> ahead_; // the next mail: its envelope is said
    SteadyTime limit_;              // of opening, or of the attempt
    bool used_ = false;             // has carried a transaction
    bool broken_ = false;           // the server left, or said what nobody asked
    bool closed_ = false;
};

} // namespace penguin::delivery
