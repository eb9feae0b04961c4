-- What reply rules have paused, on any node, and what persons have resumed of it: every node holds to these rows. One that was resumed
-- stays to its end, so that each node hears of it.

create table control.pauses (
    id          uuid primary key,               -- another one when it is made anew
    scope       text not null,                  -- engine/policy/README.md has them
    subject     text not null,                  -- an address, a network, a domain, a campaign's id
    place       text not null,                  -- the site or provider at which; '' everywhere
    rule        text not null,
    reply       text not null,                  -- that made it, without addresses
    node        text not null,                  -- that heard it
    since       timestamptz not null,
    until       timestamptz not null,
    resumed     timestamptz,
    resumed_by  text                            -- subject of the credential
);
create unique index pauses_about on control.pauses (scope, subject, place);
create index pauses_until on control.pauses (until);

alter table control.pauses enable row level security;
alter table control.pauses force row level security;
create policy platform on control.pauses to pm_api
    using ((select current_setting('app.platform', true)) = 'on')
    with check ((select current_setting('app.platform', true)) = 'on');
create policy worker on control.pauses to pm_worker using (true) with check (true);
grant select, update on control.pauses to pm_api;
grant select, insert, update, delete on control.pauses to pm_worker;

-- Counted up when these rows change: they are read alone.
alter table control.settings_version add column pauses bigint not null default 1;
