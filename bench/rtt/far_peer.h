// bench/rtt/far_peer.h
// Postfix with a sink, a relay and a name server as a World of ours has them: one site, its mail held until release().
//
//   needs   root
//   errors  BenchError
#pragma once

#include <memory>

#include "bench/harness/world.h"
#include "bench/peers/peer.h"

namespace penguin::bench {

class FarPeer {
public:
    // Of the options: work, connections, sink_log, pipelining, chunking, round_trip. They outlive it.
    FarPeer(Patience& patience, const WorldOptions& options);

    // Hands over messages of `size` octets, from one sender to one domain.
    void accept(std::size_t messages, std::size_t size);
    void release() { peer_->release(); }
    Receivers& receivers() noexcept { return receivers_; }
    std::filesystem::path sink_log() const { return folder_.path() / "sink" / "taken.jsonl"; }
    Snapshot look() const;

private:
    Patience& patience_;
    WorldFolder folder_;
    std::uint16_t smtp_port_;
    Receivers receivers_;
    RelayProcess relay_;
    Nameserver nameserver_;
    std::unique_ptr<Peer> peer_;
};

} // namespace penguin::bench
