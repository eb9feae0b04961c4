-- Reply rules that an operator has put over the shipped ones and over delivery.rules_file: each version is the whole text. The
-- newest is the one to be in force; the API keeps kRuleVersionsKept of them.

create table control.rule_versions (
    number          bigint primary key,
    text            text not null,              -- TOML, as engine/policy/README.md says; '' changes nothing
    comment         text not null default '',
    author          text not null,              -- subject of the credential
    shipped         text not null,              -- digest of the shipped rules that it was checked over
    rolled_back_to  bigint,                     -- the version that it repeats
    created         timestamptz not null
);

alter table control.rule_versions enable row level security;
alter table control.rule_versions force row level security;
create policy platform on control.rule_versions to pm_api
    using ((select current_setting('app.platform', true)) = 'on')
    with check ((select current_setting('app.platform', true)) = 'on');
create policy worker on control.rule_versions to pm_worker using (true) with check (true);
grant select, insert, delete on control.rule_versions to pm_api;
grant select on control.rule_versions to pm_worker;

-- Keys of the platform that could do everything can do this as well: no call could give it to them.
alter table control.platform_keys no force row level security;
update control.platform_keys set scopes = scopes || array['rules:read', 'rules:write']
 where scopes @> array['tenants:read', 'tenants:write', 'pools:read', 'pools:write', 'sources:read', 'sources:write', 'keys:read',
                       'keys:write', 'queue:write', 'audit:read'];
alter table control.platform_keys force row level security;
