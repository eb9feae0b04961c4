#!lua flags=allow-oom
-- Sets limits of tenants. ARGV: prefix, then tenant, "<messages> <seconds> <quota>" ('': none), tenant ...
-- Who gets a quota, or another kind of limit, starts to be counted anew. Who is held is looked at again.
local function has_quota(limit) return string.match(limit or '', ' %d+$') ~= nil end
for i = 2, #ARGV, 2 do
    local tenant, limit = ARGV[i], ARGV[i + 1]
    local before = redis.call('HGET', P .. 'limits', tenant) or nil
    if has_quota(before) ~= has_quota(limit) then redis.call('HDEL', P .. 'spent', tenant) end
    if limit == '' then
        redis.call('HDEL', P .. 'limits', tenant)
        redis.call('HDEL', P .. 'spent', tenant)
    else redis.call('HSET', P .. 'limits', tenant, limit) end
    if not has_quota(limit) then redis.call('SREM', P .. 'uncounted', tenant) end
    redis.call('ZADD', P .. 'held', 'XX', digits(now), tenant)
end
return 1
