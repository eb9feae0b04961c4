#!lua flags=allow-oom
-- Entries of a campaign that wait for their first attempt are due now: its sending window has changed. What was tried keeps its time.
-- ARGV: prefix, tenant, campaign, cursor, how many to look at. Gives the next cursor, -1 at the end
local tenant, named = ARGV[2], '"campaign":"' .. ARGV[3] .. '"'
local scanned = redis.call('HSCAN', P .. 'wait', ARGV[4], 'COUNT', ARGV[5])
for i = 1, #scanned[2], 2 do
    local _, owner, entry = unpacked(scanned[2][i + 1])
    if owner == tenant and string.find(entry, named, 1, true) and not string.find(entry, '"attempt":', 1, true) then
        redis.call('ZADD', P .. 'due', 'XX', 'LT', digits(now), scanned[2][i])
    end
end
return scanned[1] == '0' and -1 or tonumber(scanned[1])
