#!lua flags=allow-oom
-- To a place's lists. ARGV: prefix, node, incarnation, place, then tokens. Gives how many were in the hand
local node, incarnation, place = ARGV[2], ARGV[3], ARGV[4]
if not holds_name(node, incarnation) then return STALE end
local hand, parked, groups, seen = P .. 'hand:' .. node, {}, {}, {}
local tokens = { unpack(ARGV, 5) }
local values = redis.call('HMGET', hand, unpack(tokens))
for i, token in ipairs(tokens) do
    local prio, tenant, entry = unpacked(values[i] or '')
    if prio and not seen[token] then
        seen[token] = true
        parked[#parked + 1] = token
        groups[tenant] = groups[tenant] or {}
        table.insert(groups[tenant], { prio, entry })
    end
end
if #parked == 0 then return 0 end
local gone = redis.call('HDEL', hand, unpack(parked))
for tenant, entries in pairs(groups) do park_at(place, tenant, entries) end
return gone
