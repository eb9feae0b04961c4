#!lua flags=allow-oom
-- Back to the tenants' ready lists. ARGV: prefix, node, incarnation, lease ms, avoid until (ms, 0: not), then tokens
-- Gives how many were in the hand
local node, incarnation, lease, avoid_until = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
if not holds_name(node, incarnation) then return STALE end
local hand, released = P .. 'hand:' .. node, 0
for i = #ARGV, 6, -1 do -- the first ends up at the head
    local value = redis.call('HGET', hand, ARGV[i])
    if value then
        released = released + 1
        redis.call('HDEL', hand, ARGV[i])
        local prio, tenant, entry = unpacked(value)
        give_back(tenant, ARGV[i], true)
        if avoid_until > now then
            local avoid = avoid_of(entry)
            avoid[node] = avoid_until
            put_aside(prio, tenant, entry, avoid, lease, ARGV[i])
        else
            to_ready(prio, tenant, entry)
        end
    end
end
save_accounts()
return released
