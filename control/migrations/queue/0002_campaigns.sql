-- A campaign's batches: to cancel and to count them.
create index batches_campaign on queue.batches (tenant_id, campaign_id, id) where campaign_id is not null;
