// Another MTA, measured beside ours: it takes mail by SMTP and sends it to the sinks from one address of its own. One more
// MTA is one more class, and a line in make_peer.
//
//   errors  BenchError
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "bench/harness/patience.h"
#include "bench/harness/usage.h"

namespace penguin::bench {

// Where the name server of a peer's world stands: other MTAs ask at port 53 only.
inline constexpr const char* kPeerResolver = "127.0.0.53";
inline constexpr std::uint16_t kPeerDnsPort = 53;

struct PeerOptions {
    std::filesystem::path folder; // its own
    std::string name_server;      // an address; port 53
    std::uint16_t smtp_port = 25; // of the sinks
    std::size_t sites = 1;        // that mail goes to
    std::size_t connections = 10; // to one site, at most
    std::string signs_for;        // domain that it signs for with RSA-2048; "": for none
};

class Peer {
public:
    virtual ~Peer() = default;
    virtual std::string name() const = 0;
    virtual std::string version(Patience& patience) const = 0;
    // It takes mail when this returns. Held: it sends none before release().
    virtual void start(Patience& patience, bool held) = 0;
    virtual void release() = 0;
    virtual std::uint16_t port() const = 0;
    virtual Roots roots() const = 0; // what it costs, by component
};

std::vector<std::string> peer_names();
std::unique_ptr<Peer> make_peer(const std::string& name, PeerOptions options);

} // namespace penguin::bench
