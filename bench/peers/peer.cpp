#include "bench/peers/peer.h"

#include "bench/peers/postfix.h"

namespace penguin::bench {

std::vector<std::string> peer_names() { return {"postfix"}; }

std::unique_ptr<Peer> make_peer(const std::string& name, PeerOptions options)
{
    if (name == "postfix") return std::make_unique<Postfix>(std::move(options));
    throw BenchError{"no peer '" + name + "'"};
}

} // namespace penguin::bench
