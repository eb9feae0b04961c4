-- Tier content: what is sent, once for each tenant and hash.
create table content.contents (
    tenant_id       uuid not null,
    id              text not null check (id ~ '^[0-9a-f]{64}$'),
    body            bytea not null,             -- JSON of engine/mail/content.h, zlib
    size            integer not null,           -- octets of that JSON
    retained_until  timestamptz not null,
    created         timestamptz not null,
    primary key (tenant_id, id)
);
-- zlib has compressed it already; a second attempt would only cost time.
alter table content.contents alter column body set storage external;
create index contents_retained on content.contents (tenant_id, retained_until);

alter table content.contents enable row level security;
alter table content.contents force row level security;
create policy tenant on content.contents to pm_api
    using (tenant_id = (select nullif(current_setting('app.current_tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.current_tenant_id', true), '')::uuid));
create policy worker on content.contents for select to pm_worker using (true);

grant select, insert, update, delete on content.contents to pm_api;
grant select on content.contents to pm_worker;
grant usage on schema content to pm_api, pm_worker;
