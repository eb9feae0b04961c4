#include "bench/rtt/far_peer.h"

#include <fmt/format.h>

#include "bench/harness/letters.h"
#include "bench/peers/smtp_feed.h"

namespace penguin::bench {

FarPeer::FarPeer(Patience& patience, const WorldOptions& options)
    : patience_{patience},
      folder_{options.work},
      smtp_port_{free_port({site_address(0), relayed_address(0)})},
      receivers_{patience,
                 folder_.path() / "sink",
                 {.port = smtp_port_,
                  .pipelining = options.pipelining,
                  .chunking = options.chunking,
                  .relayed = true,
                  .log = sink_log().string()}},
      relay_{patience, folder_.path() / "relay", {.port = smtp_port_, .round_trip = options.round_trip.value()}},
      nameserver_{folder_.path() / "dns", kPeerDnsPort, kPeerResolver},
      peer_{make_peer("postfix", {.folder = folder_.path() / "peer",
                                  .name_server = kPeerResolver,
                                  .smtp_port = smtp_port_,
                                  .sites = 1,
                                  .connections = options.connections,
                                  .signs_for = ""})}
{
    nameserver_.start(patience_, mx_records(1, 1) + fmt::format("{}. A {}\n", source_host(0), source_address(0)));
    peer_->start(patience_, true);
}

void FarPeer::accept(std::size_t messages, std::size_t size)
{
    const std::string text = letter(sender_domain(0), {.size = size, .signed_before = true});
    asio::io_context io;
    feed(io, patience_,
         {.port = peer_->port(),
          .sender = "sales@" + sender_domain(0),
          .messages = messages,
          .recipient = [](std::size_t number) { return recipient_address(number, 1); },
          .message = [&text](std::size_t) { return std::string{text}; }});
}

Snapshot FarPeer::look() const
{
    Roots roots = peer_->roots();
    roots.pids[kSink] = {receivers_.pid()};
    roots.pids[kRelay] = {relay_.pid()};
    roots.pids[kDns] = {nameserver_.pid()};
    return look_at(roots);
}

} // namespace penguin::bench
