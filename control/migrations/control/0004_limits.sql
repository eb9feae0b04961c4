-- What a tenant may send: of each the word or number of the API for "unlimited" when nobody set one.
alter table control.tenants
    add column rate text not null default 'unlimited',              -- "<messages>/second", "/minute", "/hour"
    add column monthly_quota bigint not null default -1             -- messages of a month (UTC) that are delivered or bounced
        check (monthly_quota >= -1);
