-- Campaigns that somebody paused, resumed or cancelled. A batch may name any campaign; one without a row is active.

create table control.campaigns (
    tenant_id    uuid not null,
    id           uuid not null,                 -- what the tenant calls it
    state        text not null check (state in ('active', 'paused', 'cancelled')), -- cancelled is final
    changed      timestamptz not null,
    -- When what is queued of a cancelled one is taken out of the queue (again); nothing: there is nothing left to do.
    sweep_after  timestamptz,
    primary key (tenant_id, id)
);
-- Work indexes of snapshot and sweep (listed exceptions to "tenant_id first").
create index campaigns_stopped on control.campaigns (state, changed) where state <> 'active';
create index campaigns_sweep on control.campaigns (sweep_after) where sweep_after is not null;

alter table control.campaigns enable row level security;
alter table control.campaigns force row level security;
create policy tenant on control.campaigns to pm_api
    using (tenant_id = (select nullif(current_setting('app.current_tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.current_tenant_id', true), '')::uuid));
create policy worker on control.campaigns to pm_worker using (true) with check (true);
grant select, insert, update, delete on control.campaigns to pm_api;
grant select, update on control.campaigns to pm_worker;
