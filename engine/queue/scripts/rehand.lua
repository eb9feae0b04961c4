#!lua flags=allow-oom
-- After Redis may have lost data: what a node has in its memory is written into its hand again, and taken out of where
-- Redis' older state has it. ARGV: prefix, node, incarnation, then for each: token, packed value, place where it was
-- parked ('': nowhere)
-- Gives the tokens of entries that are not this node's any more
local node, incarnation = ARGV[2], ARGV[3]
if not holds_name(node, incarnation) then return STALE end
local LOOK = 1000 -- values at the head of a list: what was claimed in the seconds that are lost stood there
local hand, lists, lost = P .. 'hand:' .. node, {}, {}

local function taken_from(key, skip, id)
    lists[key] = lists[key] or redis.pcall('LRANGE', key, 0, LOOK - 1)
    if lists[key].err then return false end
    for i, value in ipairs(lists[key]) do
        if value and id_of(string.sub(value, skip + 1)) == id then
            redis.call('LREM', key, 1, value)
            lists[key][i] = false
            return true
        end
    end
    return false
end

-- The version before parked all priorities at the place itself.
local function parked_at(place, prio, tenant, id)
    local own = waiting_place(place, prio)
    return taken_from(P .. 'parked:' .. own .. ':' .. tenant, 1, id) or
        (own ~= place and taken_from(P .. 'parked:' .. place .. ':' .. tenant, 1, id))
end

for i = 4, #ARGV, 3 do
    local token, value, place = ARGV[i], ARGV[i + 1], ARGV[i + 2]
    if redis.call('HEXISTS', hand, token) == 0 then
        local prio, tenant, entry = unpacked(value)
        local id = id_of(entry)
        local batch, index = string.match(id, '^([%x-]+)%.(%d+)$')
        local live = P .. 'live:' .. batch
        local found = taken_from(ready_key(tenant, prio), 0, id) or (place ~= '' and parked_at(place, prio, tenant, id))
        if not found and redis.call('HDEL', P .. 'wait', id) == 1 then
            redis.call('ZREM', P .. 'due', id)
            found = true
        end
        local ended = redis.call('EXISTS', P .. 'done:' .. id) == 1
        if not ended and (found or redis.call('GETBIT', live, index) == 0) then
            redis.call('HSET', hand, token, value)
            redis.call('SETBIT', live, index, 1)
            forget_count(tenant) -- nothing was charged for it
        else lost[#lost + 1] = token end
    end
end
save_accounts()
return lost
