-- The audit log: who changed which setting, and who was turned away. control/audit/README.md has its rules.
--
--   chain    hash = sha256(hash of the record before, 32 zero octets before the first, || the record's canonical text); one chain
--            for the installation, so that a record that is changed, left out or moved is seen by whoever recomputes it
--   writers  control.audit_append alone. Neither pm_api nor pm_worker may insert, update or delete; even the owner, unless it is a
--            superuser, has no policy to update or delete.
--   length   rows stay. Nothing deletes them.

create table control.audit (
    seq         bigint primary key,            -- 1, 2, 3 ... without a gap, in the order of commits
    time        timestamptz not null,
    action      text not null check (octet_length(action) between 1 and 64),
    actor       text not null check (octet_length(actor) <= 256),         -- subject of the credential, or ''
    tenant_id   uuid,                                                     -- whom it is about; nothing: the platform
    resource    text not null check (octet_length(resource) <= 512),
    peer        text not null check (octet_length(peer) <= 64),           -- address, "unix", or ''
    request_id  text not null check (octet_length(request_id) <= 64),
    detail      text not null check (octet_length(detail) <= 4096),       -- one JSON object in one line
    hash        bytea not null check (octet_length(hash) = 32)
);
create index audit_tenant on control.audit (tenant_id, seq);
create index audit_action on control.audit (action, seq);

-- One row: the last record. Locked from an append to the end of its transaction, so that records become visible in their order.
create table control.audit_head (
    one   boolean primary key default true check (one),
    seq   bigint not null,
    hash  bytea not null
);
insert into control.audit_head values (true, 0, decode(repeat('00', 32), 'hex'));

alter table control.audit enable row level security;
alter table control.audit force row level security;
alter table control.audit_head enable row level security;
alter table control.audit_head force row level security;

create policy tenant on control.audit for select to pm_api
    using (tenant_id = (select nullif(current_setting('app.current_tenant_id', true), '')::uuid));
create policy platform on control.audit for select to pm_api
    using ((select current_setting('app.platform', true)) = 'on');
create policy worker on control.audit for select to pm_worker using (true);
-- Forced row-level security binds the owner, which the function runs as. These are all that it gets.
create policy owner_reads on control.audit for select to current_user using (true);
create policy owner_appends on control.audit for insert to current_user with check (true);
create policy owner_moves on control.audit_head to current_user using (true) with check (true);
grant select on control.audit to pm_api, pm_worker;

-- Appends one record and gives its number. A tenant's transaction can only say something of that tenant.
-- Canonical text: seq, time in microseconds since 1970, action, actor, tenant, resource, peer, request_id, detail, each as
-- "<octets>:<text>," in UTF-8; no tenant is the empty text.
create function control.audit_append(p_time timestamptz, p_action text, p_actor text, p_tenant uuid, p_resource text, p_peer text,
                                     p_request_id text, p_detail text)
returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    own     uuid := nullif(current_setting('app.current_tenant_id', true), '')::uuid;
    said    bytea;
    field   text;
    number  bigint;
begin
    if coalesce(current_setting('app.platform', true), '') <> 'on' and (own is null or p_tenant is distinct from own) then
        raise insufficient_privilege using message = 'an audit record of somebody else';
    end if;
    select h.seq + 1, h.hash into strict number, said from control.audit_head h for update;
    foreach field in array array[number::text, (extract(epoch from p_time) * 1000000)::bigint::text, p_action, p_actor,
                                 coalesce(p_tenant::text, ''), p_resource, p_peer, p_request_id, p_detail] loop
        said := said || convert_to(octet_length(convert_to(field, 'UTF8')) || ':' || field || ',', 'UTF8');
    end loop;
    insert into control.audit (seq, time, action, actor, tenant_id, resource, peer, request_id, detail, hash)
    values (number, p_time, p_action, p_actor, p_tenant, p_resource, p_peer, p_request_id, p_detail, sha256(said));
    update control.audit_head set seq = number, hash = sha256(said);
    return number;
end
$$;
revoke all on function control.audit_append(timestamptz, text, text, uuid, text, text, text, text) from public;
grant execute on function control.audit_append(timestamptz, text, text, uuid, text, text, text, text) to pm_api, pm_worker;

-- Keys of the platform that could do everything can read this as well: no call could give it to them.
alter table control.platform_keys no force row level security;
update control.platform_keys set scopes = scopes || 'audit:read'::text
 where scopes @> array['tenants:read', 'tenants:write', 'pools:read', 'pools:write', 'sources:read', 'sources:write', 'keys:read',
                       'keys:write', 'queue:write'];
alter table control.platform_keys force row level security;
