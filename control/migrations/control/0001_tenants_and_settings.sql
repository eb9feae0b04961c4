-- Tier control: who may send what, from where. Read control/README.md for who may read which table.
--
-- Row-level security, for pm_api:
--   tenant tables     rows of app.current_tenant_id only. nullif: after a transaction that set it, the setting is '' in that
--                     session, and ''::uuid is an error. The scalar sub-select makes it one evaluation a statement.
--   platform tables   only in a platform transaction (app.platform = 'on').
-- pm_worker has policies of its own: it serves every tenant.

create table control.tenants (
    id          uuid primary key,
    name        text not null check (length(name) between 1 and 200),
    status      text not null default 'active' check (status in ('active', 'suspended', 'deleted')),
    weight      double precision not null default 1 check (weight > 0 and weight <= 1000),
    pool        text not null default 'default',
    plan        jsonb,
    version     bigint not null default 1,      -- for ETag: the API counts it up with each change
    created     timestamptz not null,
    updated     timestamptz not null
);
create index tenants_created on control.tenants (created, id);

create table control.api_keys (
    tenant_id   uuid not null,
    id          uuid not null,
    name        text not null,
    hash        bytea not null,                 -- keyed hash of the secret
    scopes      text[] not null,
    created     timestamptz not null,
    expires     timestamptz,
    last_used   timestamptz,
    revoked     timestamptz,
    primary key (tenant_id, id)
);
create unique index api_keys_id on control.api_keys (id); -- look-up at authentication, before the tenant is known

create table control.platform_keys (
    id          uuid primary key,
    name        text not null,
    hash        bytea not null,
    scopes      text[] not null,
    created     timestamptz not null,
    expires     timestamptz,
    last_used   timestamptz,
    revoked     timestamptz
);

-- Any tenant may claim a name, so that claiming tells nothing of others. Only one can have it verified, and to be refused
-- there a tenant must already control the domain's DNS.
create table control.domains (
    tenant_id     uuid not null,
    id            uuid not null,
    name          text not null,
    bounce_host   text not null,
    verified      timestamptz,
    verification  jsonb,                        -- result of the last look-ups, record by record
    created       timestamptz not null,
    primary key (tenant_id, id)
);
create unique index domains_name on control.domains (tenant_id, name);
create unique index domains_verified_once on control.domains (name) where verified is not null;

create table control.dkim_keys (
    tenant_id   uuid not null,
    id          uuid not null,
    domain_id   uuid not null,
    selector    text not null,
    algorithm   text not null check (algorithm in ('rsa-sha256', 'ed25519-sha256')),
    public_key  text not null,                  -- base64, the p= of its record
    sealed      bytea not null,                 -- dkim/sealed_key.h
    version     integer not null default 1,     -- part of what `sealed` is bound to
    active      boolean not null default true,
    created     timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, domain_id) references control.domains (tenant_id, id) on delete cascade
);
create unique index dkim_keys_selector on control.dkim_keys (tenant_id, domain_id, selector);

create table control.pools (
    name         text primary key check (name ~ '^[a-z0-9-]{1,32}$'),
    description  text not null default '',
    created      timestamptz not null
);
insert into control.pools (name, description, created) values ('default', '', now());

create table control.sources (
    id          uuid primary key,
    address     inet not null unique,           -- a source belongs to exactly one pool and node
    ehlo_name   text not null,
    node        text not null,
    pool        text not null references control.pools (name),
    created     timestamptz not null
);
create index sources_pool on control.sources (pool);

-- change: settings_version.suppressions of the transaction that added the row, so that a snapshot reads only what is new.
create table control.suppressions (
    tenant_id     uuid not null,
    address       text not null,                -- folded
    reason        text not null default '',
    source_event  text not null default '',
    change        bigint not null,
    created       timestamptz not null,
    primary key (tenant_id, address)
);
create index suppressions_change on control.suppressions (change); -- work index of the snapshot

create table control.global_suppressions (
    address       text primary key,
    reason        text not null default '',
    source_event  text not null default '',
    change        bigint not null,
    created       timestamptz not null
);

-- One row. Counted up in the transaction that changes something; see control/db/settings_version.h.
create table control.settings_version (
    one                    boolean primary key default true check (one),
    settings               bigint not null,
    suppressions           bigint not null,     -- additions
    suppressions_removed   bigint not null      -- removals: a snapshot reads its list again
);
insert into control.settings_version values (true, 1, 1, 1);

-- Answers to POST requests that carried an Idempotency-Key. Platform requests use the nil uuid as their tenant.
create table control.idempotency (
    tenant_id     uuid not null,
    key           text not null,
    request_hash  bytea not null,
    status        integer,                      -- null while the first request runs
    response      text,
    created       timestamptz not null,
    expires       timestamptz not null,
    primary key (tenant_id, key)
);
create index idempotency_expires on control.idempotency (tenant_id, expires);

do $$
declare
    t text;
begin
    foreach t in array array['api_keys', 'domains', 'dkim_keys', 'suppressions', 'idempotency'] loop
        execute format('alter table control.%I enable row level security', t);
        execute format('alter table control.%I force row level security', t);
        execute format($p$create policy tenant on control.%I to pm_api
            using (tenant_id = (select nullif(current_setting('app.current_tenant_id', true), '')::uuid))
            with check (tenant_id = (select nullif(current_setting('app.current_tenant_id', true), '')::uuid))$p$, t);
        execute format('grant select, insert, update, delete on control.%I to pm_api', t);
    end loop;
    foreach t in array array['tenants', 'platform_keys', 'pools', 'sources', 'global_suppressions'] loop
        execute format('alter table control.%I enable row level security', t);
        execute format('alter table control.%I force row level security', t);
        execute format($p$create policy platform on control.%I to pm_api
            using ((select current_setting('app.platform', true)) = 'on')
            with check ((select current_setting('app.platform', true)) = 'on')$p$, t);
        execute format('grant select, insert, update, delete on control.%I to pm_api', t);
    end loop;
    foreach t in array array['tenants', 'domains', 'dkim_keys', 'pools', 'sources', 'suppressions', 'global_suppressions'] loop
        execute format('create policy worker on control.%I to pm_worker using (true) with check (true)', t);
        execute format('grant select on control.%I to pm_worker', t);
    end loop;
end
$$;

-- A tenant sees its own row, which accepting mail needs, and a submission may ask the list that holds for everybody.
create policy own on control.tenants for select to pm_api
    using (id = (select nullif(current_setting('app.current_tenant_id', true), '')::uuid));
create policy ask on control.global_suppressions for select to pm_api
    using ((select nullif(current_setting('app.current_tenant_id', true), '')) is not null);
-- Authentication looks a key up by its id alone and notes its use.
create policy authenticate on control.api_keys for select to pm_api
    using ((select current_setting('app.platform', true)) = 'on');
create policy note_use on control.api_keys for update to pm_api
    using ((select current_setting('app.platform', true)) = 'on')
    with check ((select current_setting('app.platform', true)) = 'on');

grant insert on control.suppressions, control.global_suppressions to pm_worker;
grant select, update on control.settings_version to pm_api, pm_worker;
grant usage on schema control to pm_api, pm_worker;
