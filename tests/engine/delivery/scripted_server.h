// A server on 127.0.0.1 that plays a script, one connection a script: the right, the broken and the hostile receivers of
// mail, for tests.
//
//   words    "S text"    sends the line          "RAW bytes"  sends exactly these octets
//            "C prefix"  waits for a line that begins so      "BODY"  reads content up to CRLF.CRLF
//            "TLS"       does a handshake        "STALL"      says nothing until the client closes
//            "RESET"     ends the connection by RST           "PAUSE"  lets other things happen for 30 ms
//            "HEAR"      waits for any octets                 "NEXT"   waits until the client calls next()
//   out      heard(): all lines that came, in order; fault(): the first that was not as the script says
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "engine/net/tls_stream.h"
#include "tests/engine/net/loopback.h"

namespace penguin::delivery {

using Script = std::vector<std::string>;

inline Script operator+(Script first, const Script& second)
{
    first.insert(first.end(), second.begin(), second.end());
    return first;
}

class ScriptedServer {
public:
    ScriptedServer(asio::io_context& io, std::vector<Script> scripts) : listener_{io}
    {
        asio::co_spawn(io, serve(std::move(scripts)), asio::detached);
    }
    asio::ip::tcp::endpoint endpoint() const { return listener_.endpoint(); }
    const std::vector<std::string>& heard() const { return heard_; }
    const std::string& fault() const { return fault_; }
    const std::string& body() const { return body_; }
    // The client is idle: the script may go on behind "NEXT".
    void next() { ++allowed_; }
    // It has done all that it does before the client speaks again.
    bool settled() const { return waiting_ || ended_; }
    bool ended() const { return ended_; }

private:
    static const net::TlsServer& tls()
    {
        static const net::TlsServer context = net::TlsServer::self_signed(*DomainName::parse("mx.example"));
        return context;
    }

    awaitable<void> serve(std::vector<Script> scripts)
    {
        for (Script& script : scripts) {
            stream_ = co_await listener_.accept();
            input_.clear();
            co_await play(std::move(script));
            stream_.reset();
        }
        ended_ = true;
    }

    awaitable<void> play(Script script)
    {
        for (const std::string& word : script) {
            const bool goes_on = co_await obey(word);
            if (!goes_on) co_return;
        }
    }

    awaitable<bool> obey(std::string word)
    {
        if (word.starts_with("S ")) {
            const Result<> sent = co_await net::write_text(*stream_, word.substr(2) + "\r\n");
            co_return sent.has_value();
        }
        if (word.starts_with("RAW ")) {
            const std::string bytes = word.substr(4);
            const Result<> sent = co_await net::write_text(*stream_, bytes);
            co_return sent.has_value();
        }
        if (word.starts_with("C ")) {
            const std::string line = co_await take_until("\r\n");
            heard_.push_back(line);
            if (line.starts_with(word.substr(2))) co_return true;
            if (fault_.empty()) fault_ = "\"" + line + "\" instead of \"" + word + "\"";
            co_return false;
        }
        if (word == "BODY") {
            body_ = co_await take_until("\r\n.\r\n");
            co_return true;
        }
        if (word == "TLS") {
            const bool started = co_await start_tls();
            co_return started;
        }
        if (word == "PAUSE") {
            co_await sleep_for(std::chrono::milliseconds{30});
            co_return true;
        }
        if (word == "RESET") {
            auto& socket = static_cast<net::TcpStream&>(*stream_).socket();
            socket.set_option(asio::socket_base::linger{true, 0});
            co_return false;
        }
        if (word == "NEXT") {
            while (allowed_ == 0) co_await sleep_for(std::chrono::milliseconds{1});
            --allowed_;
            co_return true;
        }
        if (word == "HEAR") {
            const bool heard = co_await hear();
            co_return heard;
        }
        if (word == "STALL") {
            bool heard = true;
            while (heard) heard = co_await hear();
            co_return false;
        }
        fault_ = "no such word: " + word;
        co_return false;
    }

    awaitable<bool> start_tls()
    {
        std::unique_ptr<net::TcpStream> below{static_cast<net::TcpStream*>(stream_.release())};
        auto stream = co_await net::TlsStream::start(std::move(below), tls().make(), net::soon());
        if (!stream) co_return false;
        stream_ = std::move(*stream);
        co_return true;
    }

    awaitable<bool> hear()
    {
        std::array<char, 4096> buffer{};
        waiting_ = true;
        const Result<std::size_t> count = co_await stream_->read_some(buffer, net::soon());
        waiting_ = false;
        if (count) input_.append(buffer.data(), *count);
        co_return count.has_value();
    }

    // Gives the line without its end, the body with all but its final dot.
    awaitable<std::string> take_until(std::string end)
    {
        std::size_t at = input_.find(end);
        while (at == std::string::npos) {
            const std::size_t looked_at = input_.size() - std::min(input_.size(), end.size());
            const bool heard = co_await hear();
            if (!heard) co_return "(closed)";
            at = input_.find(end, looked_at);
        }
        std::string taken = input_.substr(0, end.size() > 2 ? at + 2 : at);
        input_.erase(0, at + end.size());
        co_return taken;
    }

    net::Listener listener_;
    std::unique_ptr<net::ByteStream> stream_;
    std::string input_;
    std::vector<std::string> heard_;
    std::string fault_;
    std::size_t allowed_ = 0;
    bool waiting_ = false;
    bool ended_ = false;
    std::string body_;
};

} // namespace penguin::delivery
