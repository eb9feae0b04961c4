// A peer with sinks and a name server like those of a World of ours, and its mail.
#pragma once

#include "bench/compare/compare.h"
#include "bench/harness/nameserver.h"
#include "bench/harness/receivers.h"
#include "bench/peers/peer.h"

namespace penguin::bench {

class PeerWorld {
public:
    // Each needs a world that nothing has been measured in.
    struct Span {
        Snapshot from;
        Snapshot to;
        std::size_t messages = 0;
    };
    PeerWorld(Patience& patience, const CompareOptions& options, bool is_signed);
    Span drain();
    Span whole_way();

private:
    void hand_over();
    void wait_for_arrivals();
    Snapshot look() const;

    Patience& patience_;
    const CompareOptions& options_;
    bool signed_;
    std::size_t messages_;
    WorldFolder folder_;
    std::uint16_t smtp_port_;
    Receivers receivers_;
    Nameserver nameserver_;
    std::unique_ptr<Peer> peer_;
};

} // namespace penguin::bench
