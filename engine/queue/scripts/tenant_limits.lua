-- What tenants may still have: behind common.lua in front of each script. Claim charges, what gives an entry back unsent returns.
--   limits        hash, tenant -> "<messages> <seconds> <quota>": rate and messages of a month; 0 0 and -1: none
--   spent         hash, tenant -> "<us> <month> <count>": the rate permits what came since that time; month 0: not counted
--   held          zset time -> tenant: who has nothing left, until when; held:<tenant> the zsets that it was taken out of
--   uncounted     set: tenants whose month must be counted from the ledger
-- All of it is asked only where a tenant of the pool has a limit.

local DAY = 86400000 -- ms
local COUNT_AGAIN = 1000 -- ms: how long a tenant is held that waits to be counted, before it is looked at again

-- Year and month ("202611") and day of the month of a day since 1970 (UTC; Gregorian, by eras of 400 years).
local function civil(day)
    local z = day + 719468
    local era = math.floor(z / 146097)
    local doe = z - era * 146097
    local yoe = math.floor((doe - math.floor(doe / 1460) + math.floor(doe / 36524) - math.floor(doe / 146096)) / 365)
    local doy = doe - (365 * yoe + math.floor(yoe / 4) - math.floor(yoe / 100))
    local mp = math.floor((5 * doy + 2) / 153)
    local month = mp < 10 and mp + 3 or mp - 9
    local year = yoe + era * 400 + (month <= 2 and 1 or 0)
    return string.format('%04d%02d', year, month), doy - math.floor((153 * mp + 2) / 5) + 1
end
local function month_of(ms) return (civil(math.floor(ms / DAY))) end
local function next_month(ms)
    local day = math.floor(ms / DAY)
    local _, date = civil(day)
    local later = day - date + 32 -- 31 days behind the first of this month
    local _, beyond = civil(later)
    return (later - beyond + 1) * DAY
end

local some_limit -- whether there is one, or somebody still held by one that is gone; asked once a call
local function has_limits()
    if some_limit == nil then some_limit = redis.call('EXISTS', P .. 'limits', P .. 'held') > 0 end
    return some_limit
end

local accounts = {} -- tenant -> its account, false: it has no limit
local this_month
local function account_of_texts(limit, spent)
    local messages, seconds, quota = string.match(limit or '', '^(%d+) (%d+) (-?%d+)$')
    if not messages then return false end
    this_month = this_month or month_of(now)
    local since, month, count = string.match(spent or '', '^(%d+) (%d+) (%d+)$')
    local account = { since = tonumber(since or 0), quota = tonumber(quota) }
    if account.quota < 0 then account.quota = nil end
    if tonumber(messages) > 0 then
        account.interval = seconds * 1000000 / messages
        account.burst = math.max(1, math.floor(messages / seconds)) -- what comes in a second
        local full = clock[1] * 1000000 + clock[2] - account.burst * account.interval
        account.since = math.max(account.since, full)
    end
    if account.quota and month and month ~= '0' then account.count = month == this_month and tonumber(count) or 0 end
    return account
end

local function load_accounts(tenants)
    local unknown = {}
    for _, tenant in ipairs(tenants) do
        if accounts[tenant] == nil then unknown[#unknown + 1] = tenant end
    end
    if #unknown == 0 then return end
    local limits = redis.call('HMGET', P .. 'limits', unpack(unknown))
    local spent = redis.call('HMGET', P .. 'spent', unpack(unknown))
    for i, tenant in ipairs(unknown) do accounts[tenant] = account_of_texts(limits[i], spent[i]) end
end

-- Messages that the rate permits now; and when (ms) there are that many, at most a burst.
local function rate_left(account)
    if not account.interval then return math.huge end
    return math.floor((clock[1] * 1000000 + clock[2] - account.since) / account.interval)
end
local function rate_until(account, messages)
    return math.ceil((account.since + math.min(messages, account.burst) * account.interval) / 1000)
end

local function allowance(account)
    if not account then return math.huge end
    if not account.quota then return rate_left(account) end
    if not account.count then return 0 end
    return math.min(rate_left(account), account.quota - account.count)
end

local function charge(tenant, messages)
    local account = accounts[tenant]
    if not account then return end
    if account.interval then account.since = account.since + messages * account.interval end
    if account.count then account.count = math.max(0, account.count + messages) end
    account.changed = true
end

-- An entry of a hand that did not end as sent. `of_rate`: no attempt was made either. What was claimed in an earlier month is
-- nothing that this one counts.
local function give_back(tenant, token, of_rate)
    if not tenant or not has_limits() then return end
    load_accounts({ tenant })
    local account = accounts[tenant]
    if not account then return end
    if of_rate and account.interval then account.since = account.since - account.interval end
    local claimed = tonumber(string.match(token, '^%x+') or '0', 16)
    local was_used_up = account.count and account.count >= account.quota
    if account.count and month_of(claimed) == this_month then account.count = math.max(0, account.count - 1) end
    account.changed = true
    account.look_again = account.look_again or of_rate or was_used_up
end

-- What was told late was charged to nobody, or twice: the ledger counts again.
local function forget_count(tenant)
    if not tenant or not has_limits() then return end
    load_accounts({ tenant })
    local account = accounts[tenant]
    if not account or not account.count then return end
    account.count = nil
    account.changed, account.look_again = true, true
end

-- Once, at the end of a call.
local function save_accounts()
    local values = {}
    for tenant, account in pairs(accounts) do
        if account and account.changed then
            values[#values + 1] = tenant
            values[#values + 1] = string.format('%.0f %s %.0f', account.since, account.count and this_month or '0', account.count or 0)
            if account.look_again then redis.call('ZADD', P .. 'held', 'XX', 'LT', digits(now), tenant) end
        end
    end
    in_parts('HSET', P .. 'spent', values)
end

-- Until it has something again, or half a second's mail of its rate: then it is back for more than one message, and a claim
-- does not meet it for each.
local function hold(tenant, zset)
    local account = accounts[tenant]
    local time = now + COUNT_AGAIN
    if account.quota and not account.count then redis.call('SADD', P .. 'uncounted', tenant)
    elseif account.quota and account.count >= account.quota then time = next_month(now)
    else time = rate_until(account, math.ceil(account.burst / 2)) end
    redis.call('SADD', P .. 'held:' .. tenant, string.sub(zset, #P + 1))
    redis.call('ZADD', P .. 'held', digits(time), tenant)
end

-- Back into the zsets. Bounded: what is left of one that waits at more places comes with the next call.
local RETURNS_MAX, PLACES_BACK_MAX = 50, 200
local function return_held()
    local zsets_back = 0
    for _, tenant in ipairs(redis.call('ZRANGE', P .. 'held', '-inf', digits(now), 'BYSCORE', 'LIMIT', 0, RETURNS_MAX)) do
        local names = P .. 'held:' .. tenant
        for _, name in ipairs(redis.call('SPOP', names, PLACES_BACK_MAX)) do
            local place = string.match(name, '^parked:(.*)$')
            local first = place and redis.call('ZRANGE', P .. name, 0, 0, 'WITHSCORES')[2] or 0
            redis.call('ZADD', P .. name, 'NX', first, tenant)
            if place then redis.call('ZADD', P .. 'parked', 'NX', 0, place) end
            zsets_back = zsets_back + 1
        end
        if redis.call('EXISTS', names) == 0 then redis.call('ZREM', P .. 'held', tenant) end
        if zsets_back >= PLACES_BACK_MAX then return end
    end
end

-- Redis may have lost what was charged: every month is counted anew, and who is held is looked at again.
local function recount_all()
    redis.call('DEL', P .. 'spent')
    for _, tenant in ipairs(redis.call('ZRANGE', P .. 'held', 0, -1)) do redis.call('ZADD', P .. 'held', digits(now), tenant) end
end
