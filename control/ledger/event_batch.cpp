#include "control/ledger/event_batch.h"

#include <algorithm>
#include <optional>
#include <set>

#include <boost/asio/ip/address.hpp>

#include "control/ledger/month_counts.h"

namespace penguin::control::ledger {

namespace {

int& counter_of(Counts& counts, queue::EventKind kind)
{
    switch (kind) {
    case queue::EventKind::delivered: return counts.delivered;
    case queue::EventKind::deferred: return counts.deferred;
    case queue::EventKind::bounced: return counts.bounced;
    case queue::EventKind::expired: return counts.expired;
    case queue::EventKind::suppressed: return counts.suppressed;
    case queue::EventKind::cancelled: break;
    }
    return counts.cancelled;
}

// Octets up to the first that is not ASCII, or is NUL.
std::size_t plain_length(std::string_view text)
{
    const auto odd =
        std::ranges::find_if(text, [](char c) { return c == '\0' || static_cast<unsigned char>(c) >= 0x80; });
    return static_cast<std::size_t>(odd - text.begin());
}

// Length of the well-formed UTF-8 sequence at the start of `text`, 0 when there is none (RFC 3629).
std::size_t utf8_length(std::string_view text)
{
    const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto tail = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
        return i < text.size() && octet(i) >= low && octet(i) <= high;
    };
    const unsigned first = octet(0);
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first <= 0xDF) return tail(1) ? 2 : 0;
    if (first >= 0xE0 && first <= 0xEF) {
        const unsigned low = first == 0xE0 ? 0xA0 : 0x80;
        const unsigned high = first == 0xED ? 0x9F : 0xBF;
        return tail(1, low, high) && tail(2) ? 3 : 0;
    }
    if (first >= 0xF0 && first <= 0xF4) {
        const unsigned low = first == 0xF0 ? 0x90 : 0x80;
        const unsigned high = first == 0xF4 ? 0x8F : 0xBF;
        return tail(1, low, high) && tail(2) && tail(3) ? 4 : 0;
    }
    return 0;
}

// A clock far off must not make a row that no partition or query expects, nor one that PostgreSQL refuses.
constexpr std::chrono::hours kFutureMax{24};
constexpr std::chrono::hours kPastMax{24 * 365};
constexpr std::chrono::hours kNextMax{24 * 365};

WallTime plausible(WallTime at, WallTime now) { return at > now + kFutureMax || at < now - kPastMax ? now : at; }

std::optional<WallTime> plausible_next(std::optional<WallTime> next, WallTime now)
{
    if (!next || *next > now + kNextMax || *next < now - kPastMax) return std::nullopt;
    return next;
}

// Nothing for an event of no plan. What names no address is none that the engine wrote.
std::optional<WarmupDay> warmup_day_of(const queue::Event& event, WallTime now)
{
    if (event.warmup.empty()) return std::nullopt;
    boost::system::error_code code;
    const auto source = boost::asio::ip::make_address(event.source, code);
    if (code) return std::nullopt;
    return WarmupDay{source.to_string(), clean_text(event.warmup),
                     std::chrono::floor<std::chrono::days>(plausible(event.at, now))};
}

} // namespace

std::string clean_text(std::string_view text)
{
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const std::size_t plain = plain_length(text);
        out += text.substr(0, plain);
        text.remove_prefix(plain);
        if (text.empty()) break;
        const std::size_t length = text.front() == '\0' ? 0 : utf8_length(text);
        if (length == 0)
            out += '?';
        else
            out += text.substr(0, length);
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return out;
}

std::string event_key(const queue::Event& event)
{
    const std::string front = event.message.text() + ":";
    return event.id.starts_with(front) ? event.id.substr(front.size()) : event.id;
}

EventBatch weigh(const std::vector<queue::Event>& events, const Known& known, WallTime now)
{
    EventBatch batch;
    std::set<std::pair<TenantId, MessageId>> ended = known.ended;
    std::set<std::string> late_ids;
    for (const queue::Event& event : events) {
        const std::pair<TenantId, MessageId> message{event.tenant, event.message};
        if (event.late && (known.event_ids.contains(event.id) || !late_ids.insert(event.id).second)) {
            ++batch.dropped;
            continue;
        }
        batch.kept.push_back(&event);
        if (const auto day = warmup_day_of(event, now))
            batch.warmups[*day].add(policy::parse_bounce_class(event.klass).value_or(policy::BounceClass::none),
                                    event.kind == queue::EventKind::delivered, is_final(event.kind));
        if (is_final(event.kind)) {
            if (event.late ? ended.contains(message)
                           : known.late_finals.contains(message) || batch.new_late_finals.contains(message))
                continue;
            ended.insert(message);
            if (event.late) batch.new_late_finals.insert(message);
        }
        ++counter_of(batch.counts[{event.tenant, event.message.batch}], event.kind);
        if (was_sent(event.kind)) ++batch.sent[{event.tenant, month_of(plausible(event.at, now))}];
    }
    return batch;
}

db::Params event_params(const std::vector<const queue::Event*>& events, WallTime now)
{
    const auto column = [&](auto read) {
        std::vector<decltype(read(*events.front()))> values;
        values.reserve(events.size());
        for (const queue::Event* event : events) values.push_back(read(*event));
        return values;
    };
    const auto text = [&](std::string queue::Event::* member) {
        return db::Texts{column([member](const queue::Event& event) { return clean_text(event.*member); })};
    };
    using Event = queue::Event;
    db::Params params;
    params.add(events.size());
    params.add(column([](const Event& event) { return event.tenant; }));
    params.add(column([](const Event& event) { return event.message.batch; }));
    params.add(column([](const Event& event) { return event.message.index; }));
    params.add(db::Texts{column([](const Event& event) { return std::string{name_of(event.kind)}; })});
    params.add(column([](const Event& event) { return static_cast<std::int32_t>(event.attempt & 0x7FFFFFFFU); }));
    params.add(column([](const Event& event) { return event.code; }));
    params.add(column([now](const Event& event) { return plausible(event.at, now); }));
    params.add(column([now](const Event& event) { return plausible_next(event.next, now); }));
    params.add(column([](const Event& event) { return event.latency_ms; }));
    params.add(column([](const Event& event) { return event.tls; }));
    params.add(column([](const Event& event) { return event.may_be_duplicate; }));
    params.add(column([](const Event& event) { return event.late; }));
    params.add(column([](const Event& event) { return event.campaign; }));
    params.add(column([](const Event& event) { return event.mailbox; }));
    params.add(db::Texts{column([](const Event& event) { return clean_text(event_key(event)); })});
    for (std::string Event::* member : {&Event::recipient, &Event::klass, &Event::rule, &Event::phase, &Event::enhanced,
                                        &Event::reply, &Event::site, &Event::source, &Event::remote})
        params.add(text(member));
    return params;
}

} // namespace penguin::control::ledger
