#include "control/audit/event_tally.h"

#include <algorithm>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace penguin::control::audit {

namespace {

namespace json = boost::json;

std::size_t index_of(SecurityAction action) { return static_cast<std::size_t>(action); }

void cut(std::string& text)
{
    if (text.size() > EventTally::kFieldMax) text.resize(EventTally::kFieldMax);
}

} // namespace

std::string_view name_of(SecurityAction action)
{
    switch (action) {
    case SecurityAction::auth_failed: return "auth.failed";
    case SecurityAction::auth_forged_token: return "auth.forged_token";
    case SecurityAction::auth_throttled: return "auth.throttled";
    case SecurityAction::request_denied: return "request.denied";
    }
    return "unknown";
}

void EventTally::add(SecurityEvent event)
{
    for (std::string* text :
         {&event.kind.peer, &event.kind.actor, &event.kind.route, &event.kind.why, &event.request_id})
        cut(*text);
    const Count one{.events = 1, .first = event.time, .last = event.time, .request_id = std::move(event.request_id)};
    std::map<SecurityKind, Count>& counts = counts_[index_of(event.kind.action)];
    const auto known = counts.find(event.kind);
    if (known == counts.end()) {
        if (counts.size() >= kKindsMax) return to_others(event.kind.action, one);
        counts.emplace(std::move(event.kind), one);
        return;
    }
    Count& count = known->second;
    if (count.events == 0) {
        count.first = one.first;
        count.request_id = one.request_id;
    }
    ++count.events;
    count.last = std::max(count.last, one.last);
}

void EventTally::to_others(SecurityAction action, const Count& count)
{
    Count& others = others_[index_of(action)];
    others.first = others.events == 0 ? count.first : std::min(others.first, count.first);
    others.last = std::max(others.last, count.last);
    others.events += count.events;
}

// Leaves the count at nothing.
EventTally::Row EventTally::row_of(const SecurityKind& kind, Count& count)
{
    json::object detail{{"count", count.events}, {"first", to_rfc3339(count.first)}, {"last", to_rfc3339(count.last)}};
    if (!kind.why.empty()) detail["why"] = kind.why;
    Row row{.entry = {.time = count.last,
                      .action = std::string{name_of(kind.action)},
                      .actor = kind.actor,
                      .tenant = kind.tenant,
                      .resource = kind.route,
                      .peer = kind.peer,
                      .request_id = std::move(count.request_id),
                      .detail = json::serialize(detail)},
            .action = kind.action,
            .events = count.events};
    count = Count{};
    return row;
}

void EventTally::take_new(std::vector<Row>& rows)
{
    for (auto& counts : counts_) {
        for (auto at = counts.begin(); at != counts.end();) {
            auto& [kind, count] = *at;
            std::size_t& used = rows_[index_of(kind.action)];
            if (count.written || count.events == 0) {
                ++at;
            } else if (used < kRowsAMinute) {
                ++used;
                rows.push_back(row_of(kind, count));
                count.written = true;
                ++at;
            } else {
                to_others(kind.action, count);
                at = counts.erase(at);
            }
        }
    }
}

// A kind that came again stays, and its next repetitions are due a minute later; one that did not is forgotten.
void EventTally::new_window()
{
    rows_ = {};
    for (auto& counts : counts_) {
        std::erase_if(counts, [](const auto& one) { return one.second.events == 0; });
        for (auto& [kind, count] : counts) count.written = false;
    }
}

std::vector<EventTally::Row> EventTally::take_others()
{
    std::vector<Row> rows;
    for (std::size_t action = 0; action < kSecurityActions; ++action) {
        if (others_[action].events == 0) continue;
        const SecurityKind others{.action = static_cast<SecurityAction>(action), .peer = "others", .actor = ""};
        rows.push_back(row_of(others, others_[action]));
    }
    return rows;
}

std::vector<EventTally::Row> EventTally::take(SteadyTime now)
{
    std::vector<Row> rows;
    if (!begun_ || now - *begun_ >= kWindow) {
        rows = take_others();
        new_window();
        begun_ = now;
    }
    take_new(rows);
    return rows;
}

std::vector<EventTally::Row> EventTally::take_all()
{
    std::vector<Row> rows;
    take_new(rows);
    new_window();
    take_new(rows);
    std::ranges::move(take_others(), std::back_inserter(rows));
    new_window();
    return rows;
}

} // namespace penguin::control::audit
