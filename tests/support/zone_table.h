// tests/support/zone_table.h
// A Resolver for unit tests: answers from a table, at once or when the test says so, and counts what it was asked.
//
//   use     ZoneTable dns;
//           dns.add_mx("a.example", 10, "mx.a.example");  dns.add_a("mx.a.example", "192.0.2.1");
//           dns.fail("broken.example", Errc::unavailable);
//   absent  a name with no record at all is no_name; one with other records is no_data (with TTL `negative_ttl`)
//   hold    hold("slow.example") lets every look-up of that name wait until release("slow.example")
//   lives   longer than the coroutines that use it; belongs to one io_context
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/asio.h"
#include "engine/dns/resolver.h"

namespace penguin::tests {

class ZoneTable : public dns::Resolver {
public:
    std::chrono::seconds ttl{300};
    std::chrono::seconds negative_ttl{60};

    void add_mx(std::string_view name, std::uint16_t preference, std::string_view exchange)
    {
        mx_[std::string{name}].push_back({preference, std::string{exchange}});
    }
    void add_null_mx(std::string_view name) { add_mx(name, 0, ""); }
    void add_a(std::string_view name, std::string_view address)
    {
        a_[std::string{name}].push_back(asio::ip::make_address_v4(std::string{address}));
    }
    void add_aaaa(std::string_view name, std::string_view address)
    {
        aaaa_[std::string{name}].push_back(asio::ip::make_address_v6(std::string{address}));
    }
    void add_txt(std::string_view name, std::string_view text) { txt_[std::string{name}].emplace_back(text); }
    // Every look-up of this name fails, until succeed().
    void fail(std::string_view name, Errc code) { failing_[std::string{name}] = code; }
    void succeed(std::string_view name) { failing_.erase(std::string{name}); }
    void remove(std::string_view name)
    {
        const std::string key{name};
        mx_.erase(key);
        a_.erase(key);
        aaaa_.erase(key);
        txt_.erase(key);
    }

    void hold(std::string_view name) { held_.insert(std::string{name}); }
    void release(std::string_view name)
    {
        held_.erase(std::string{name});
        for (const auto& timer : waiting_) timer->cancel();
    }

    // How often "MX a.example" (or "A", "AAAA", "TXT") was asked.
    std::size_t asked(std::string_view question) const
    {
        const auto found = asked_.find(std::string{question});
        return found == asked_.end() ? 0 : found->second;
    }
    std::size_t asked_in_all() const
    {
        std::size_t sum = 0;
        for (const auto& [question, times] : asked_) sum += times;
        return sum;
    }

    awaitable<Result<dns::Answer<dns::MxRecord>>> mx(DomainName name) override
    {
        return look_up("MX", mx_, name.text());
    }
    awaitable<Result<dns::Answer<asio::ip::address>>> a(DomainName name) override
    {
        return look_up("A", a_, name.text());
    }
    awaitable<Result<dns::Answer<asio::ip::address>>> aaaa(DomainName name) override
    {
        return look_up("AAAA", aaaa_, name.text());
    }
    awaitable<Result<dns::Answer<std::string>>> txt(DomainName name) override
    {
        return look_up("TXT", txt_, name.text());
    }

private:
    template <class Record>
    using Table = std::map<std::string, std::vector<Record>>;

    template <class Record>
    awaitable<Result<dns::Answer<Record>>> look_up(std::string type, const Table<Record>& table, std::string name)
    {
        ++asked_[type + " " + name];
        while (held_.contains(name)) {
            const auto timer = std::make_shared<asio::steady_timer>(co_await asio::this_coro::executor);
            timer->expires_at(asio::steady_timer::time_point::max());
            waiting_.insert(timer);
            [[maybe_unused]] const auto [code] = co_await timer->async_wait(use_result);
            waiting_.erase(timer);
            const auto cancelled = co_await asio::this_coro::cancellation_state;
            if (cancelled.cancelled() != asio::cancellation_type::none)
                co_return penguin::fail(Errc::cancelled, name + ": cancelled");
        }
        if (const auto failing = failing_.find(name); failing != failing_.end())
            co_return penguin::fail(failing->second, name + ": as the test wants it");
        dns::Answer<Record> answer;
        if (const auto found = table.find(name); found != table.end()) {
            answer.records = found->second;
            answer.ttl = ttl;
            co_return answer;
        }
        const bool exists = mx_.contains(name) || a_.contains(name) || aaaa_.contains(name) || txt_.contains(name);
        using Kind = typename dns::Answer<Record>::Kind;
        answer.kind = exists ? Kind::no_data : Kind::no_name;
        answer.ttl = negative_ttl;
        co_return answer;
    }

    Table<dns::MxRecord> mx_;
    Table<asio::ip::address> a_;
    Table<asio::ip::address> aaaa_;
    Table<std::string> txt_;
    std::map<std::string, Errc> failing_;
    std::set<std::string> held_;
    std::set<std::shared_ptr<asio::steady_timer>> waiting_;
    std::map<std::string, std::size_t> asked_;
};

} // namespace penguin::tests
