#include "engine/dns/cares_channel.h"

#include <algorithm>
#include <charconv>
#include <unordered_map>
#include <unordered_set>

#include <ares.h>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <openssl/rand.h>

namespace penguin::dns {

namespace {

constexpr int kQuestionClassIn = 1;
constexpr std::size_t kFlagsOffset = 3; // RA, Z, AD, CD, RCODE
constexpr unsigned char kAuthenticBit = 0x20;

Error error_of_status(int status)
{
    const std::string text = std::string{"DNS: "} + ares_strerror(status);
    switch (status) {
    case ARES_ETIMEOUT: return {Errc::timeout, text};
    case ARES_ENOMEM: return {Errc::local_fault, text};
    case ARES_EDESTRUCTION:
    case ARES_ECANCELLED: return {Errc::cancelled, text};
    case ARES_EBADRESP:
    case ARES_EBADNAME: return {Errc::malformed, text};
    default: return {Errc::unavailable, text};
    }
}

class Channel final : public CaresChannel {
public:
    explicit Channel(const asio::any_io_executor& executor) : executor_{executor}, tick_{executor} {}
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;
    ~Channel() override
    {
        if (channel_ != nullptr) ares_destroy(channel_); // calls back whoever still waits, and closes the sockets
    }

    Result<> start(const Options& options);
    void send(const std::string& name, std::uint16_t type, Done done) override;

private:
    // The descriptor belongs to c-ares, which closes it; ours only watches it.
    struct Socket {
        Socket(const asio::any_io_executor& executor, int fd) : descriptor{executor, fd} {}
        asio::posix::stream_descriptor descriptor;
        bool alive = true;
        bool wants_read = false;
        bool wants_write = false;
        bool read_armed = false;
        bool write_armed = false;
    };
    struct Query {
        Channel* channel;
        unsigned short id;
        Done done;
    };

    static void on_socket(void* self, ares_socket_t fd, int readable, int writable);
    static void on_answer(void* query, int status, int timeouts, unsigned char* bytes, int size);
    void watch(const std::shared_ptr<Socket>& socket);
    void arm_tick();
    unsigned short unused_id() const;

    asio::any_io_executor executor_;
    asio::steady_timer tick_;
    bool ticking_ = false;
    ares_channel channel_ = nullptr;
    std::unordered_map<int, std::shared_ptr<Socket>> sockets_;
    std::unordered_set<unsigned short> ids_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true); // for handlers that outlive us: held weakly
};

Result<> Channel::start(const Options& options)
{
    ares_options wanted{};
    wanted.timeout = static_cast<int>(options.timeout.count());
    wanted.tries = options.tries;
    std::string lookups = "b"; // the DNS only, never /etc/hosts
    wanted.lookups = lookups.data();
    wanted.sock_state_cb = &Channel::on_socket;
    wanted.sock_state_cb_data = this;
    const int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB;
    const int status = ares_init_options(&channel_, &wanted, mask);
    if (status != ARES_SUCCESS) return fail(Errc::local_fault, std::string{"c-ares: "} + ares_strerror(status));
    if (options.servers.empty()) return {};

    std::vector<ares_addr_port_node> nodes(options.servers.size());
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        const ServerAddress& server = options.servers[i];
        ares_addr_port_node& node = nodes[i];
        node.next = i + 1 < nodes.size() ? &nodes[i + 1] : nullptr;
        node.family = server.address.is_v4() ? AF_INET : AF_INET6;
        node.udp_port = node.tcp_port = server.port;
        if (server.address.is_v4()) {
            const auto octets = server.address.to_v4().to_bytes();
            std::ranges::copy(octets, reinterpret_cast<unsigned char*>(&node.addr.addr4));
        } else {
            const auto octets = server.address.to_v6().to_bytes();
            std::ranges::copy(octets, reinterpret_cast<unsigned char*>(&node.addr.addr6));
        }
    }
    const int set = ares_set_servers_ports(channel_, nodes.data());
    if (set != ARES_SUCCESS) return fail(Errc::local_fault, std::string{"c-ares: "} + ares_strerror(set));
    return {};
}

void Channel::send(const std::string& name, std::uint16_t type, Done done)
{
    unsigned char* packet = nullptr;
    int size = 0;
    const unsigned short id = unused_id();
    const int made = ares_create_query(name.c_str(), kQuestionClassIn, type, id, 1, &packet, &size, 0);
    if (made != ARES_SUCCESS) return done(std::unexpected{error_of_status(made)});
    packet[kFlagsOffset] |= kAuthenticBit;
    ids_.insert(id);
    auto query = std::make_unique<Query>(this, id, std::move(done));
    ares_send(channel_, packet, size, &Channel::on_answer, query.release()); // on_answer takes it back, exactly once
    ares_free_string(packet);
    arm_tick();
}

void Channel::on_answer(void* query, int status, int /*timeouts*/, unsigned char* bytes, int size)
{
    const std::unique_ptr<Query> ours{static_cast<Query*>(query)};
    ours->channel->ids_.erase(ours->id);
    if (status != ARES_SUCCESS) return ours->done(std::unexpected{error_of_status(status)});
    ours->done(std::span<const std::uint8_t>{bytes, static_cast<std::size_t>(size)});
}

void Channel::on_socket(void* self, ares_socket_t fd, int readable, int writable)
{
    auto& channel = *static_cast<Channel*>(self);
    auto found = channel.sockets_.find(fd);
    if (readable == 0 && writable == 0) { // c-ares is about to close it
        if (found == channel.sockets_.end()) return;
        found->second->alive = false;
        found->second->descriptor.release();
        channel.sockets_.erase(found);
        return;
    }
    if (found == channel.sockets_.end())
        found = channel.sockets_.emplace(fd, std::make_shared<Socket>(channel.executor_, fd)).first;
    found->second->wants_read = readable != 0;
    found->second->wants_write = writable != 0;
    channel.watch(found->second);
}

void Channel::watch(const std::shared_ptr<Socket>& socket)
{
    using asio::posix::descriptor_base;
    const std::weak_ptr<bool> alive = alive_;
    const auto fd = socket->alive ? socket->descriptor.native_handle() : ARES_SOCKET_BAD;
    if (socket->alive && socket->wants_read && !socket->read_armed) {
        socket->read_armed = true;
        socket->descriptor.async_wait(descriptor_base::wait_read, [this, alive, socket, fd](const error_code& code) {
            socket->read_armed = false;
            if (code || alive.expired() || !socket->alive) return;
            ares_process_fd(channel_, fd, ARES_SOCKET_BAD);
            watch(socket);
        });
    }
    if (socket->alive && socket->wants_write && !socket->write_armed) {
        socket->write_armed = true;
        socket->descriptor.async_wait(descriptor_base::wait_write, [this, alive, socket, fd](const error_code& code) {
            socket->write_armed = false;
            if (code || alive.expired() || !socket->alive) return;
            ares_process_fd(channel_, ARES_SOCKET_BAD, fd);
            watch(socket);
        });
    }
}

void Channel::arm_tick()
{
    if (ticking_ || ids_.empty()) return;
    ticking_ = true;
    tick_.expires_after(kTick);
    tick_.async_wait([this, alive = std::weak_ptr<bool>{alive_}](const error_code& code) {
        if (code || alive.expired()) return;
        ticking_ = false;
        ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
        arm_tick();
    });
}

unsigned short Channel::unused_id() const
{
    unsigned short id = 0;
    do RAND_bytes(reinterpret_cast<unsigned char*>(&id), sizeof id);
    while (ids_.contains(id));
    return id;
}

} // namespace

Result<ServerAddress> ServerAddress::parse(std::string_view text)
{
    std::string_view host = text;
    std::string_view port;
    if (const auto bracket = text.find(']'); text.starts_with('[') && bracket != std::string_view::npos) {
        host = text.substr(1, bracket - 1);
        port = text.substr(bracket + 1);
        if (!port.empty() && !port.starts_with(':')) return fail(Errc::bad_value, "DNS server: text after ]");
        if (!port.empty()) port.remove_prefix(1);
        if (port.empty() && text.ends_with(':')) return fail(Errc::bad_value, "DNS server: no port after the colon");
    } else if (std::ranges::count(text, ':') == 1) {
        host = text.substr(0, text.find(':'));
        port = text.substr(text.find(':') + 1);
        if (port.empty()) return fail(Errc::bad_value, "DNS server: no port after the colon");
    }
    error_code code;
    ServerAddress server;
    server.address = asio::ip::make_address(std::string{host}, code);
    if (code) return fail(Errc::bad_value, "DNS server: not an IP address: " + std::string{host});
    if (port.empty()) return server;
    const auto [end, failed] = std::from_chars(port.data(), port.data() + port.size(), server.port);
    if (failed != std::errc{} || end != port.data() + port.size() || server.port == 0)
        return fail(Errc::bad_value, "DNS server: not a port: " + std::string{port});
    return server;
}

Result<std::unique_ptr<CaresChannel>> CaresChannel::open(const asio::any_io_executor& executor, const Options& options)
{
    auto channel = std::make_unique<Channel>(executor);
    const Result<> started = channel->start(options);
    if (!started) return std::unexpected{started.error()};
    return channel;
}

} // namespace penguin::dns
