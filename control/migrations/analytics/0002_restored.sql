-- Set when a person accepted a database that was restored from a backup: what was sent of earlier batches is not known, so the
-- reconciler leaves them alone.
alter table analytics.ledger_positions add column restored timestamptz;
