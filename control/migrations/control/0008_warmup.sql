-- Warm-up of sources: which plan a source follows, where it is at each provider, what was decided and why; and what others say of a
-- source or a domain. control/warmup/README.md has the rules.

create table control.warmups (
    source_id   uuid primary key references control.sources (id) on delete cascade,
    plan        text not null,
    start       date not null,                  -- nothing is sent before
    hour_from   smallint not null default 0 check (hour_from between 0 and 23),  -- of UTC
    hour_to     smallint not null default 24 check (hour_to between 1 and 24),   -- behind the last
    used_enough double precision check (used_enough between 0 and 1), -- of a day's cap, in place of the plan's
    created     timestamptz not null,
    check (hour_from < hour_to)
);

-- A provider's share of a source. `decided` is the last day that was judged: who moves it from the value that it read has the
-- decision of that day, whoever else tries.
create table control.warmup_lanes (
    source_id     uuid not null references control.warmups (source_id) on delete cascade,
    provider      text not null,                -- of the plan's shares; "other"
    stage         integer not null default 0 check (stage >= 0),
    decided       date,
    last_sent     date,
    stopped       date,                         -- nothing is sent on this day
    stepped_back  date,                         -- at once, on this day
    cap           bigint check (cap > 0),       -- a person's, in place of the plan's
    primary key (source_id, provider)
);

create table control.warmup_decisions (
    id          uuid primary key,               -- v7: in the order of time
    source_id   uuid not null,                  -- it may be gone since
    provider    text not null,
    day         date not null,                  -- that was judged
    move        text not null check (move in ('advance', 'hold', 'step_back', 'restart', 'stop', 'set')),
    from_stage  integer not null,
    to_stage    integer not null,
    reason      text not null,
    numbers     jsonb not null,
    actor       text not null default '',       -- who set it; '' for the rules
    decided_at  timestamptz not null
);
create index warmup_decisions_source on control.warmup_decisions (source_id, id);

-- What the engine cannot see itself. One figure of a kind a day: who reports it again replaces it.
create table control.signals (
    scope       text not null check (scope in ('source', 'domain')),
    subject     text not null check (octet_length(subject) between 1 and 255), -- a source's id, a domain's name
    provider    text not null check (octet_length(provider) <= 64),            -- '' for all
    day         date not null,
    kind        text not null check (kind in ('complaints', 'complaint_share', 'listings', 'snds', 'traps')),
    origin      text not null check (octet_length(origin) between 1 and 64),   -- who says so
    value       double precision not null check (value >= 0),
    updated     timestamptz not null,
    primary key (scope, subject, day, provider, kind, origin)
);

do $$
declare
    t text;
begin
    foreach t in array array['warmups', 'warmup_lanes', 'warmup_decisions', 'signals'] loop
        execute format('alter table control.%I enable row level security', t);
        execute format('alter table control.%I force row level security', t);
        execute format($p$create policy platform on control.%I to pm_api
            using ((select current_setting('app.platform', true)) = 'on')
            with check ((select current_setting('app.platform', true)) = 'on')$p$, t);
        execute format('create policy worker on control.%I to pm_worker using (true) with check (true)', t);
        execute format('grant select, insert, update, delete on control.%I to pm_api', t);
        execute format('grant select on control.%I to pm_worker', t);
    end loop;
end
$$;
grant update on control.warmup_lanes to pm_worker;
grant insert, delete on control.warmup_decisions to pm_worker;
grant delete on control.signals to pm_worker;
