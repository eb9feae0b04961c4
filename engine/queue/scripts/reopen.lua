#!lua flags=allow-oom
-- At most 1,000 entries of a campaign's place back to the heads of their ready lists. ARGV: prefix, place
-- Gives 1 when none is left there
local place = ARGV[2]
if not empty_place(place) then return 0 end
redis.call('SREM', P .. 'paused', place)
return 1
