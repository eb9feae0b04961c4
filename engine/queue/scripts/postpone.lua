#!lua flags=allow-oom
-- Entries whose time has not come (a window that is closed, a plain producer's): from the hand to `due`, unless it has by now.
-- ARGV: prefix, node, incarnation, then token, time (ms), token ... Gives the tokens that went
local node, incarnation = ARGV[2], ARGV[3]
if not holds_name(node, incarnation) then return STALE end
local hand, gone = P .. 'hand:' .. node, {}
for i = 4, #ARGV, 2 do
    local time = tonumber(ARGV[i + 1])
    local value = time > now and redis.call('HGET', hand, ARGV[i])
    if value then
        gone[#gone + 1] = ARGV[i]
        local _, tenant, entry = unpacked(value)
        give_back(tenant, ARGV[i], true)
        redis.call('HDEL', hand, ARGV[i])
        wait_until(time, id_of(entry) or ARGV[i], value)
    end
end
save_accounts()
return gone
