// tests/engine/queue/redis_server.h
// A real redis-server of our own for a test: on a unix socket in a temporary folder, with AOF, killed by its pid at the end.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "engine/queue/redis_url.h"

namespace penguin::test {

// A TCP port of 127.0.0.1 that was free a moment ago, and so was the one 10,000 above it (the bus of a cluster's Redis).
unsigned free_port();

class RedisServer {
public:
    // `more`: further arguments of redis-server, over the ones that the queue demands; `environment`: "NAME=value" for its
    // process. Throws when it does not start.
    explicit RedisServer(std::vector<std::string> more = {}, std::vector<std::string> environment = {});
    ~RedisServer();
    RedisServer(const RedisServer&) = delete;
    RedisServer& operator=(const RedisServer&) = delete;

    queue::RedisUrl url() const;
    const std::string& socket() const { return socket_; }
    const std::string& folder() const { return folder_; }

    void stop();  // SIGTERM: as systemd stops it
    void kill();  // SIGKILL
    void start(); // again, with what the AOF holds

    // What redis-cli prints for these arguments (a shell line), without the last line end.
    std::string cli(const std::string& arguments) const;

private:
    void end(int signal);
    std::vector<std::string> more_;
    std::vector<std::string> environment_;
    std::string folder_;
    std::string socket_;
    pid_t pid_ = -1;
};

} // namespace penguin::test
