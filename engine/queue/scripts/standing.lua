#!lua flags=no-writes,allow-oom
-- How a tenant stands. ARGV: prefix, tenant
-- Gives {its limits ('': none), month, used of it ('': not known), messages that the rate permits (-1: any), when it permits one (ms),
--         when the month ends (ms)}
local tenant = ARGV[2]
load_accounts({ tenant })
local account = accounts[tenant]
if not account then return { '', month_of(now), '', -1, '0', '0' } end
local left = account.interval and math.max(0, rate_left(account)) or -1
return { redis.call('HGET', P .. 'limits', tenant), this_month, account.count and digits(account.count) or '', left,
    digits(account.interval and rate_until(account, 1) or 0), digits(next_month(now)) }
