-- What attempts of a source under a warm-up plan came to, by provider's share and day (UTC). Moved by the ledger with the events
-- themselves, so each is counted once. A row a source, provider and day: nothing of a tenant is in it.
create table analytics.warmup_days (
    source        inet not null,
    provider      text not null,
    day           date not null,
    sent          bigint not null default 0,    -- attempts that the provider heard of
    delivered     bigint not null default 0,
    hard_bounces  bigint not null default 0,
    blocks        bigint not null default 0,
    deferrals     bigint not null default 0,
    primary key (source, day, provider)
) with (fillfactor = 50);

alter table analytics.warmup_days enable row level security;
alter table analytics.warmup_days force row level security;
create policy platform on analytics.warmup_days for select to pm_api
    using ((select current_setting('app.platform', true)) = 'on');
create policy worker on analytics.warmup_days to pm_worker using (true) with check (true);
grant select on analytics.warmup_days to pm_api;
grant select, insert, update on analytics.warmup_days to pm_worker;
