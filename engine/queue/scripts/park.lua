#!lua flags=allow-oom
-- To places' lists. ARGV: prefix, node, incarnation, then token, place, token, place ... Gives how many were in the hand
local node, incarnation = ARGV[2], ARGV[3]
if not holds_name(node, incarnation) then return STALE end
local hand, tokens = P .. 'hand:' .. node, {}
for i = 4, #ARGV, 2 do tokens[#tokens + 1] = ARGV[i] end
local values, parked, groups, seen = redis.call('HMGET', hand, unpack(tokens)), {}, {}, {}
for i, token in ipairs(tokens) do
    local prio, tenant, entry = unpacked(values[i] or '')
    if prio and not seen[token] then
        local place = waiting_place(ARGV[2 * i + 3], prio)
        seen[token] = true
        give_back(tenant, token, true)
        parked[#parked + 1] = token
        groups[place] = groups[place] or {}
        groups[place][tenant] = groups[place][tenant] or {}
        table.insert(groups[place][tenant], { prio, entry })
    end
end
if #parked == 0 then return 0 end
local gone = redis.call('HDEL', hand, unpack(parked))
for place, tenants in pairs(groups) do
    for tenant, entries in pairs(tenants) do park_at(place, tenant, entries) end
end
save_accounts()
return gone
