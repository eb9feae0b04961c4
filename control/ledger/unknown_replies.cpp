#include "control/ledger/unknown_replies.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "control/ledger/event_batch.h"
#include "engine/policy/reply_text.h"
#include "engine/policy/verdict.h"

namespace penguin::control::ledger {

namespace {

// $1 day, $2 kUnknownADay, then phase, reply, count, site, last of each.
constexpr std::string_view kCount = R"(
insert into analytics.unknown_replies as u (day, phase, reply, count, site, last)
select $1::date, g.phase, room.reply, sum(g.count), min(g.site), max(g.last)
from unnest($3::text[], $4::text[], $5::bigint[], $6::text[], $7::timestamptz[]) as g(phase, reply, count, site, last)
left join analytics.unknown_replies k on k.day = $1::date and k.phase = g.phase and k.reply = g.reply
cross join (select count(*) as n from analytics.unknown_replies where day = $1::date) as kept
cross join lateral (select case when k.day is not null or kept.n < $2::bigint then g.reply else '' end as reply) as room
group by g.phase, room.reply
on conflict (day, phase, reply) do update
    set count = u.count + excluded.count, site = excluded.site, last = greatest(u.last, excluded.last))";

bool is_unknown(const queue::Event& event) { return event.code >= 400 && policy::decided_by_codes(event.rule); }

std::string form_of(const queue::Event& event)
{
    return clean_text(policy::text_of(policy::normalised(smtp::Reply::make(event.code, {event.reply}))));
}

} // namespace

std::vector<UnknownReply> unknown_among(const std::vector<const queue::Event*>& events, WallTime now)
{
    std::map<std::pair<std::string, std::string>, UnknownReply> all;
    for (const queue::Event* event : events) {
        if (!is_unknown(*event)) continue;
        std::pair<std::string, std::string> key{clean_text(event->phase), form_of(*event)};
        if (all.size() >= kUnknownAStep && !all.contains(key)) key.second.clear();
        UnknownReply& said = all[key];
        said.phase = key.first;
        said.reply = key.second;
        ++said.count;
        said.site = clean_text(event->site);
        said.last = std::max(said.last, std::min(event->at, now));
    }
    std::vector<UnknownReply> out;
    out.reserve(all.size());
    for (auto& [key, said] : all) out.push_back(std::move(said));
    return out;
}

db::Statement count_unknown(std::vector<UnknownReply> replies, WallTime now)
{
    std::vector<std::string> phases, texts, sites;
    std::vector<std::int64_t> counts;
    std::vector<WallTime> lasts;
    for (UnknownReply& said : replies) {
        phases.push_back(std::move(said.phase));
        texts.push_back(std::move(said.reply));
        counts.push_back(said.count);
        sites.push_back(std::move(said.site));
        lasts.push_back(said.last);
    }
    return {std::string{kCount}, db::Params{day_text(now), kUnknownADay, db::Texts{std::move(phases)},
                                            db::Texts{std::move(texts)}, counts, db::Texts{std::move(sites)}, lasts}};
}

db::Statement forget_old_unknown(WallTime now)
{
    return {"delete from analytics.unknown_replies where day <= $1::date - $2::int",
            db::Params{day_text(now), kUnknownDays}};
}

std::string day_text(WallTime time)
{
    const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(time)};
    return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(day.year()), static_cast<unsigned>(day.month()),
                       static_cast<unsigned>(day.day()));
}

} // namespace penguin::control::ledger
