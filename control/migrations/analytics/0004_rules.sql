-- Refusals that no reply rule knew, by what they said: `rules coverage`. Counted by the ledger in the transaction of their events, so
-- that nobody has to look through those. One row for each different reply of a day; '' gathers what found no room.
create table analytics.unknown_replies (
    day    date not null,                       -- when the ledger read it
    phase  text not null,
    reply  text not null,                       -- "550 5.7.1 text", in the form that rules are matched against: no addresses in it
    count  bigint not null,
    site   text not null,                       -- one that said so
    last   timestamptz not null,
    primary key (day, phase, reply)
);
alter table analytics.unknown_replies enable row level security;
alter table analytics.unknown_replies force row level security;
create policy platform on analytics.unknown_replies to pm_api
    using ((select current_setting('app.platform', true)) = 'on')
    with check ((select current_setting('app.platform', true)) = 'on');
create policy worker on analytics.unknown_replies to pm_worker using (true) with check (true);
grant select on analytics.unknown_replies to pm_api;
grant select, insert, update, delete on analytics.unknown_replies to pm_worker;
