// tests/engine/delivery/engine_fixture.h
// The whole engine between real parts: a Redis, a name server with zones of ours, and sinks that play the receivers.
//
//   sites   each domain's MX is a host with an address 127.0.0.x of its own; all sinks listen on one port there
//   waits   `until` looks again and again for at most kWaitMax, so no test depends on speed
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "bench/sink/sink.h"
#include "engine/delivery/engine.h"
#include "engine/mail/content.h"
#include "tests/engine/queue/queue_fixture.h"
#include "tests/support/dns_server.h"

namespace penguin::test {

// Contents by id; signatures that are never wanted. The real ones have tests of their own.
class MapOfContents : public delivery::ContentSource {
public:
    awaitable<Result<std::string>> content(TenantId, ContentId id) override
    {
        if (away) co_return fail(Errc::unavailable, "the store is away");
        const auto found = contents.find(id.value());
        if (found == contents.end()) co_return fail(Errc::not_found, "no such content");
        co_return found->second;
    }
    std::map<std::string, std::string> contents;
    std::atomic<bool> away{false};
};

class NoSigner : public Signer {
public:
    Result<Signature> sign(const SigningRequest&) override { return Signature{}; }
    awaitable<Result<>> audit(TenantId, DomainName, std::string) override { co_return Result<>{}; }
};

inline constexpr std::chrono::seconds kWaitMax{20};

template <class Condition>
bool until(Condition condition)
{
    const auto end = std::chrono::steady_clock::now() + kWaitMax;
    while (std::chrono::steady_clock::now() < end) {
        if (condition()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    return condition();
}

class EngineTest : public testing::Test {
protected:
    explicit EngineTest(std::vector<std::string> redis_environment = {}) : redis{{}, std::move(redis_environment)} {}

    static constexpr const char* kZone = R"(
one   300 IN MX 10 mx-one
mx-one 300 IN A 127.0.0.11
same  300 IN MX 10 mx-one
two   300 IN MX 10 mx-two
mx-two 300 IN A 127.0.0.12
pair  300 IN MX 10 mx-gone
pair  300 IN MX 20 mx-one
mx-gone 300 IN A 127.0.0.19
gone  300 IN MX 10 mx-gone
none  300 IN MX 0 .
private 300 IN MX 10 mx-private
mx-private 300 IN A 10.1.2.3
)";

    void SetUp() override
    {
        contents_.contents[kContent] = to_json(
            Content{TemplateContent{.from = {.name = "Sender", .address = *EmailAddress::parse("news@sender.test")},
                                    .subject = "Hello {{name}}",
                                    .text = "Dear {{name}},\n.\nbye\n"}});
        const Uuid source = *Uuid::parse("017f22e2-79b0-7cc3-98c4-dc0c0c073990");
        settings_.version = 1;
        settings_.sources = {{.id = SourceId{source},
                              .address = asio::ip::make_address("127.0.0.2"),
                              .ehlo_name = *DomainName::parse("out.sender.test"),
                              .pool = PoolName{"default"}}};
        settings_.tenants.emplace(tenant_of(1), delivery::TenantSettings{});
        settings_.domains.emplace(*DomainName::parse("sender.test"),
                                  delivery::SendingDomain{.tenant = tenant_of(1),
                                                          .name = *DomainName::parse("sender.test"),
                                                          .bounce_host = *DomainName::parse("b.sender.test"),
                                                          .verified = true});
    }

    // A sink at 127.0.0.<host>. The first decides the port of all. `profile`: TOML, or nothing.
    bench::Sink& sink(int host, std::vector<std::string> rules = {}, const std::string& profile = "")
    {
        bench::SinkOptions options;
        if (!profile.empty()) options.profile = bench::SinkProfile::parse(profile).value();
        const std::string address = "127.0.0." + std::to_string(host);
        options.listen = {{asio::ip::make_address(address), port_}};
        for (const std::string& rule : rules) options.rules.push_back(*bench::SinkRule::parse(rule));
        auto started = bench::Sink::start(std::move(options));
        if (!started) throw std::runtime_error{started.error().detail};
        port_ = (*started)->listening().front().port();
        sinks_.push_back(std::move(*started));
        return *sinks_.back();
    }

    void start_engine(std::function<void(delivery::EngineOptions&)> change = {})
    {
        delivery::EngineOptions options;
        options.redis = {.url = redis.url(), .ca_file = {}};
        options.queue.node = NodeName{"node"};
        options.queue.incarnation = "engine-" + std::to_string(++incarnation_);
        options.journal.folder = redis.folder() + "/journal";
        options.crashed_before = true;
        options.dns.servers = {dns.server()};
        if (!options.targets.allow("127.0.0.0/8")) throw std::logic_error{"network"};
        options.smtp_port = port_;
        options.retry.ladder = {std::chrono::seconds{1}};
        options.lane_backoff = {.first = std::chrono::seconds{1}, .most = std::chrono::seconds{1}};
        if (change) change(options);
        const auto share = [this](policy::Pause pause) {
            const std::lock_guard lock{mutex_};
            shared_.push_back(std::move(pause));
        };
        engine_ = std::make_unique<delivery::Engine>(
            std::move(options), delivery::EngineParts{*source_, signer_, return_path_, metrics, share},
            std::make_shared<const delivery::Settings>(settings_));
        engine_->start();
    }

    // What follows when a server says "code 7", as in a rule file: "do = 'alert'".
    void react_to_code_7(const std::string& reaction)
    {
        settings_.rules = policy::rules_over_shipped("[[rule]]\nid = 'stop'\nsays = 'code 7'\nclass = 'rate_limited'\n"
                                                     "reactions = [{" +
                                                         reaction + "}]\n",
                                                     "own.toml")
                              .value();
    }

    // One message to each address; they wait for whoever claims.
    void enqueue(unsigned batch, const std::vector<std::string>& recipients,
                 const std::function<void(queue::Entry&)>& change = {})
    {
        std::vector<queue::Entry> entries;
        for (unsigned i = 0; i < recipients.size(); ++i) {
            queue::Entry entry = entry_of(1, batch, i);
            entry.from = *EmailAddress::parse("news@sender.test");
            entry.to = *EmailAddress::parse(recipients[i]);
            entry.content = kContent;
            entry.queued = wall_now();
            if (change) change(entry);
            entries.push_back(std::move(entry));
        }
        producer_.enqueue(entries);
    }

    std::vector<policy::Pause> shared()
    {
        const std::lock_guard lock{mutex_};
        return shared_;
    }
    std::vector<queue::Event> events() { return producer_.events(); }
    std::size_t count(queue::EventKind kind)
    {
        const std::vector<queue::Event> all = events();
        return static_cast<std::size_t>(std::ranges::count(all, kind, &queue::Event::kind));
    }
    queue::Event only(queue::EventKind kind)
    {
        for (const queue::Event& event : events())
            if (event.kind == kind) return event;
        throw std::runtime_error{"no such event"};
    }
    // What the queue says so far, for the message of a failure.
    std::string told()
    {
        std::string out;
        for (const queue::Event& event : events()) out += event.to_json() + "\n";
        return out.substr(0, 4000);
    }
    static std::vector<std::string> addresses(const std::string& domain, std::size_t count)
    {
        std::vector<std::string> out;
        for (std::size_t i = 0; i < count; ++i) out.push_back("r" + std::to_string(i) + "@" + domain);
        return out;
    }

    static constexpr const char* kContent = "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00";
    RedisServer redis;
    tests::DnsServer dns{{{"test.example", kZone}}};
    Registry metrics;
    delivery::Settings settings_;
    std::vector<std::unique_ptr<bench::Sink>> sinks_;
    std::uint16_t port_ = 0;
    MapOfContents contents_;
    delivery::ContentSource* source_ = &contents_;
    NoSigner signer_;
    std::mutex mutex_;
    std::vector<policy::Pause> shared_; // guarded by mutex_
    ReturnPath return_path_{std::array<std::uint8_t, 32>{7}};
    asio::io_context io_;
    Node producer_{io_, redis.url(), "producer", "p", std::chrono::seconds{30}, false};
    unsigned incarnation_ = 0;
    std::unique_ptr<delivery::Engine> engine_;
};

} // namespace penguin::test
