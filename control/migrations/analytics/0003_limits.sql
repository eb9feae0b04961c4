-- What a tenant has sent in a month (UTC), over all pools: messages that ended as delivered or bounced. Moved with the events,
-- so with a pool's position it tells exactly what is counted; Redis takes its counts of quotas from here.
create table analytics.tenant_months (
    tenant_id  uuid not null,
    month      integer not null,                -- 202611
    sent       bigint not null,
    primary key (tenant_id, month)
) with (fillfactor = 50);

alter table analytics.tenant_months enable row level security;
alter table analytics.tenant_months force row level security;
create policy tenant on analytics.tenant_months to pm_api
    using (tenant_id = (select nullif(current_setting('app.current_tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.current_tenant_id', true), '')::uuid));
create policy worker on analytics.tenant_months to pm_worker using (true) with check (true);
grant select on analytics.tenant_months to pm_api;
grant select, insert, update on analytics.tenant_months to pm_worker;
