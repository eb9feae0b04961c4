#include "bench/compare/peer_world.h"

#include <fmt/format.h>

#include "bench/harness/letters.h"
#include "bench/peers/smtp_feed.h"

namespace penguin::bench {

namespace {

std::vector<std::string> site_addresses(std::size_t sites)
{
    std::vector<std::string> addresses;
    addresses.reserve(sites);
    for (std::size_t site = 0; site < sites; ++site) addresses.push_back(site_address(site));
    return addresses;
}

} // namespace

PeerWorld::PeerWorld(Patience& patience, const CompareOptions& options, bool is_signed)
    : patience_{patience},
      options_{options},
      signed_{is_signed},
      messages_{is_signed ? options.signed_messages : options.unsigned_messages},
      folder_{options.drain.world.work},
      smtp_port_{free_port(site_addresses(options.drain.world.sites))},
      receivers_{patience,
                 folder_.path() / "sink",
                 {.sites = options.drain.world.sites,
                  .port = smtp_port_,
                  .threads = options.drain.world.sink_threads,
                  .tls = false,
                  .log = ""}},
      nameserver_{folder_.path() / "dns", kPeerDnsPort, kPeerResolver},
      peer_{make_peer(options.peer, {.folder = folder_.path() / "peer",
                                     .name_server = kPeerResolver,
                                     .smtp_port = smtp_port_,
                                     .sites = options.drain.world.sites,
                                     .connections = options.drain.world.connections,
                                     .signs_for = is_signed ? sender_domain(0) : ""})}
{
    nameserver_.start(patience_, mx_records(options.drain.world.domains, options.drain.world.sites) +
                                     fmt::format("{}. A {}\n", source_host(0), source_address(0)));
}

void PeerWorld::hand_over()
{
    const std::string text = letter(
        sender_domain(0),
        {.size = options_.drain.size, .signed_before = !signed_, .distinct = options_.drain.distinct, .mark = ""});
    asio::io_context io;
    feed(io, patience_,
         {.port = peer_->port(),
          .sender = "sales@" + sender_domain(0),
          .messages = messages_,
          .connections = options_.feeders,
          .recipient = [this](std::size_t number) { return recipient_address(number, options_.drain.world.domains); },
          .message = [&text](std::size_t number) { return letter_for(text, number); }});
}

void PeerWorld::wait_for_arrivals()
{
    patience_.reach(messages_, "messages at the sinks", [this] { return receivers_.messages(patience_); });
}

Snapshot PeerWorld::look() const
{
    Roots roots = peer_->roots();
    roots.pids[kSink] = {receivers_.pid()};
    roots.pids[kDns] = {nameserver_.pid()};
    return look_at(roots);
}

PeerWorld::Span PeerWorld::drain()
{
    peer_->start(patience_, true);
    hand_over();
    Span span{.from = look(), .to = {}, .messages = messages_};
    peer_->release();
    wait_for_arrivals();
    span.to = look();
    return span;
}

PeerWorld::Span PeerWorld::whole_way()
{
    peer_->start(patience_, false);
    Span span{.from = look(), .to = {}, .messages = messages_};
    hand_over();
    wait_for_arrivals();
    span.to = look();
    return span;
}

} // namespace penguin::bench
