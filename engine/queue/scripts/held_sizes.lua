#!lua flags=no-writes,allow-oom
-- Entries of tenants that their limits hold, in lists that no zset leads to just now. ARGV: prefix, from, count
-- Gives {tenants looked at, ready entries, parked entries}
local tenants, ready, parked = redis.call('ZRANGE', P .. 'held', ARGV[2], ARGV[2] + ARGV[3] - 1), 0, 0
local function size_of(key)
    local size = redis.pcall('LLEN', key)
    return type(size) == 'number' and size or 0
end
for _, tenant in ipairs(tenants) do
    for _, name in ipairs(redis.call('SMEMBERS', P .. 'held:' .. tenant)) do
        local prio = string.match(name, '^active:(.*)$')
        local is_counted = redis.call('ZSCORE', P .. name, tenant)
        if prio and not is_counted then ready = ready + size_of(ready_key(tenant, prio)) end
        if not prio and not is_counted then parked = parked + size_of(P .. name .. ':' .. tenant) end
    end
end
return { #tenants, ready, parked }
