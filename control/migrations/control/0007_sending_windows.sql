-- When the mail of a campaign may go (engine/policy/sending_window.h has the form); null: at any time.
alter table control.campaigns add column sending_window text;
-- Work index of the snapshot (a listed exception to "tenant_id first").
create index campaigns_windows on control.campaigns (id) where sending_window is not null;
