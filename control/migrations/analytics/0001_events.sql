-- Tier analytics: the ledger.
--
-- Indexes are its cost (2 to 3 us an event each), so three and no more: by message; by position, which is the cursor of
-- GET /v1/events; by time, which BRIN gives for nothing. A unique key would have to contain the time and could not stop a
-- doubled event anyway: that is the position row's task.
create table analytics.events (
    tenant_id         uuid not null,
    batch_id          uuid not null,
    idx               integer not null,
    position          bigint not null,          -- order in which the ledgers committed
    kind              text not null,
    attempt           integer not null,
    code              integer not null,         -- SMTP reply, 0 when none
    at                timestamptz not null,
    next              timestamptz,              -- deferred: when it is tried again
    latency_ms        bigint not null,          -- accepted to this outcome
    tls               boolean not null,
    may_be_duplicate  boolean not null,
    late              boolean not null,
    campaign_id       uuid,
    mailbox_id        uuid,
    event_key         text not null,            -- the event's id after "<message id>:"
    recipient         text not null,
    class             text not null,
    rule              text not null,
    phase             text not null,
    enhanced          text not null,
    reply             text not null,
    site              text not null,
    source            text not null,
    remote            text not null
) partition by range (at);
create index events_message on analytics.events (tenant_id, batch_id, idx);
create index events_position on analytics.events (tenant_id, position);
create index events_at on analytics.events using brin (at);
-- What has no partition of its day yet, or an odd time.
create table analytics.events_default partition of analytics.events default;

-- The last position given. Locked from a ledger's first statement to its commit: positions become visible in their order,
-- so a cursor never skips one.
create table analytics.event_clock (
    one   boolean primary key default true check (one),
    last  bigint not null
);
insert into analytics.event_clock values (true, 0);

create table analytics.batch_counts (
    tenant_id   uuid not null,
    batch_id    uuid not null,
    delivered   integer not null default 0,
    bounced     integer not null default 0,
    expired     integer not null default 0,
    suppressed  integer not null default 0,
    cancelled   integer not null default 0,
    deferred    integer not null default 0,     -- deferrals so far; a message may be deferred several times
    primary key (tenant_id, batch_id)
) with (fillfactor = 50);

-- Messages whose final outcome came late and was counted. Should another final one come, it is kept but not counted again.
-- Rare, so that asking it costs the ledger next to nothing.
create table analytics.late_finals (
    tenant_id   uuid not null,
    batch_id    uuid not null,
    idx         integer not null,
    at          timestamptz not null,
    primary key (tenant_id, batch_id, idx)
);

-- How far the ledger of a pool has read its stream; moves in the transaction that inserts the events.
create table analytics.ledger_positions (
    pool      text primary key,
    position  text not null,
    updated   timestamptz not null
);

-- Partitions belong to the owner. This is the one thing that pm_worker may have done in its name. Adding one locks the
-- table for a moment; behind a long query it gives up, so that nobody has to wait behind it (there are days in reserve).
create function analytics.add_event_partition(day date) returns void
    language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '2s' as $$
begin
    if day < current_date - 400 or day > current_date + 8 then
        raise exception 'no partition for %', day using errcode = '22008';
    end if;
    if to_regclass(format('analytics.%I', 'events_' || to_char(day, 'YYYYMMDD'))) is null then
        execute format('create table analytics.%I partition of analytics.events for values from (%L) to (%L)',
                       'events_' || to_char(day, 'YYYYMMDD'), day::timestamp at time zone 'UTC',
                       (day + 1)::timestamp at time zone 'UTC');
    end if;
end
$$;
revoke all on function analytics.add_event_partition(date) from public;
grant execute on function analytics.add_event_partition(date) to pm_worker;

do $$
declare
    t text;
begin
    foreach t in array array['events', 'batch_counts', 'late_finals'] loop
        execute format('alter table analytics.%I enable row level security', t);
        execute format('alter table analytics.%I force row level security', t);
        execute format($p$create policy tenant on analytics.%I to pm_api
            using (tenant_id = (select nullif(current_setting('app.current_tenant_id', true), '')::uuid))
            with check (tenant_id = (select nullif(current_setting('app.current_tenant_id', true), '')::uuid))$p$, t);
        execute format('create policy worker on analytics.%I to pm_worker using (true) with check (true)', t);
        execute format('grant select on analytics.%I to pm_api', t);
        execute format('grant select, insert, update on analytics.%I to pm_worker', t);
    end loop;
end
$$;
grant select, update on analytics.event_clock to pm_worker;
grant select, insert, update on analytics.ledger_positions to pm_worker;
grant usage on schema analytics to pm_api, pm_worker;
