#!lua flags=allow-oom
-- Entries that did not parse: out of the hand, to `dead`. ARGV: prefix, node, incarnation, then token, reason, token ...
-- Gives how many were in the hand
local node, incarnation = ARGV[2], ARGV[3]
if not holds_name(node, incarnation) then return STALE end
local hand, buried = P .. 'hand:' .. node, 0
for i = 4, #ARGV, 2 do
    local value = redis.call('HGET', hand, ARGV[i])
    if value then
        buried = buried + 1
        redis.call('HDEL', hand, ARGV[i])
        local _, tenant, entry = unpacked(value)
        give_back(tenant, ARGV[i], true)
        bury(tenant or '', ARGV[i + 1], entry or value)
    end
end
save_accounts()
return buried
