-- Tier queue: accepted batches, the outbox of the pump.
create table queue.batches (
    tenant_id        uuid not null,
    id               uuid not null,
    pool             text not null,
    content_id       text not null,
    campaign_id      uuid,
    mailbox_id       uuid,
    sender           text not null,             -- envelope sender as submitted; VERP replaces it
    prio             smallint not null check (prio between 0 and 2),
    not_before       timestamptz,
    expires          timestamptz not null,
    -- Element n holds recipients chunk_size*(n-1) and on: zlib of a JSON array of [address, variables].
    recipients       bytea[] not null,
    chunk_size       integer not null check (chunk_size > 0),
    total            integer not null check (total > 0),
    enqueued         integer not null default 0, -- messages whose chunk is recorded as done
    state            text not null default 'accepted' check (state in ('accepted', 'cancelling', 'enqueued', 'cancelled')),
    -- Set: a pump took the next chunk and has not recorded it. What it left is repeated by the reconciler's rule.
    claimed_until    timestamptz,
    idempotency_key  text,
    request_hash     bytea,
    refused          bytea,                     -- zlib of the refusals' JSON, for the same answer to the same request
    created          timestamptz not null,
    primary key (tenant_id, id)
);
alter table queue.batches alter column recipients set storage external;
-- The row changes once a chunk: room for it on its page, and no index on what changes but the two below.
alter table queue.batches set (fillfactor = 80);
create unique index batches_idempotency on queue.batches (tenant_id, idempotency_key) where idempotency_key is not null;
-- Work index of the pump (a listed exception to "tenant_id first"): unfinished batches of a pool.
create index batches_unfinished on queue.batches (pool, tenant_id, id) where state in ('accepted', 'cancelling');

alter table queue.batches enable row level security;
alter table queue.batches force row level security;
create policy tenant on queue.batches to pm_api
    using (tenant_id = (select nullif(current_setting('app.current_tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.current_tenant_id', true), '')::uuid));
create policy worker on queue.batches to pm_worker using (true) with check (true);

grant select, insert, update on queue.batches to pm_api;
grant select, update on queue.batches to pm_worker;
grant usage on schema queue to pm_api, pm_worker;
