#!lua flags=allow-oom
-- To a place's lists. ARGV: prefix, node, incarnation, place, then tokens. Gives how many were in the hand
local node, incarnation, place = ARGV[2], ARGV[3], ARGV[4]
if not holds_name(node, incarnation) then return STALE end
local hand, parked = P .. 'hand:' .. node, 0
for i = 5, #ARGV do
    local value = redis.call('HGET', hand, ARGV[i])
    if value then
        parked = parked + 1
        redis.call('HDEL', hand, ARGV[i])
        park_at(place, unpacked(value))
    end
end
return parked
