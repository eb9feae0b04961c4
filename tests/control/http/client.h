// tests/control/http/client.h
// A server on loopback in a thread of its own, and a client that says exactly the octets it is told.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include <boost/asio/io_context.hpp>

#include "control/http/server.h"

namespace penguin::control::http::test {

// Blocking, with a deadline on every wait. Says octets, hears octets.
class Client {
public:
    explicit Client(std::uint16_t port, const std::string& address = "127.0.0.1");
    explicit Client(const std::string& unix_path);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    // False when the peer does not take them any more.
    bool say(std::string_view octets);
    // Until the other side closes. Throws after kWait.
    std::string hear_all();
    // One response: status line, fields, and as many octets as Content-Length says.
    std::string hear_one(bool with_body = true);
    bool closed();
    int descriptor() const { return socket_; }

private:
    static constexpr std::chrono::seconds kWait{20};
    int socket_ = -1;
    std::string heard_;
    bool read_some();
};

unsigned status_of(const std::string& response);
std::string body_of(const std::string& response);
// The value of a header field, or "".
std::string field_of(const std::string& response, std::string_view name);

// Credentials of a test: the word after "Bearer " names the principal.
class TableAuthenticator final : public Authenticator {
public:
    std::map<std::string, Result<Principal>> known;
    awaitable<Result<Principal>> authenticate(std::string authorization, asio::ip::address peer) override;
};

// What was told, in its order.
class ToldEvents final : public audit::SecurityEvents {
public:
    std::vector<audit::SecurityEvent> told;
    void note(audit::SecurityEvent event) override { told.push_back(std::move(event)); }
};

// Routes, a server with short deadlines, and its thread.
class Running {
public:
    explicit Running(ServerLimits limits = quick());
    ~Running();
    static ServerLimits quick(); // limits that a test can wait for
    // Runs `work` on the server's thread and waits for it.
    void on_thread(const std::function<void()>& work);

    Router router;
    TableAuthenticator authenticator;
    ToldEvents events;
    Registry metrics;
    asio::io_context io; // after what its last coroutines still use
    std::unique_ptr<Server> server;
    std::uint16_t port = 0;
    std::size_t handled = 0; // calls of any handler

    void start();

private:
    ServerLimits limits_;
    std::thread thread_;
};

} // namespace penguin::control::http::test
