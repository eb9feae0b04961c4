// Debian's Postfix with a queue and settings of its own (postfix/), and opendkim as its milter when it signs.
//
//   needs   root: Postfix's master wants it, and it sees another resolv.conf in a mount namespace of its own
//   errors  BenchError, with the end of its log
#pragma once

#include <map>

#include "bench/harness/child.h"
#include "bench/peers/peer.h"

namespace penguin::bench {

class Postfix : public Peer {
public:
    explicit Postfix(PeerOptions options);

    std::string name() const override { return "postfix"; }
    std::string version(Patience& patience) const override;
    void start(Patience& patience, bool held) override;
    void release() override;
    std::uint16_t port() const override { return port_; }
    Roots roots() const override;

private:
    void write_settings(bool held) const;
    void start_opendkim(Patience& patience);

    PeerOptions options_;
    std::uint16_t port_;
    std::uint16_t milter_port_;
    std::unique_ptr<Child> opendkim_;
    std::unique_ptr<Child> master_;
};

// Each {name} of the template with its value; other braces stay.
std::string filled(std::string text, const std::map<std::string, std::string>& values);

} // namespace penguin::bench
