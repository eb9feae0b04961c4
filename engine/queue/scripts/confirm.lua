#!lua flags=allow-oom
-- After the ledger committed: bits of messages that are done are cleared. ARGV: prefix, position ('': more calls follow),
-- first stream id to keep, then for each batch: batch, count, indices
local position, keep = ARGV[2], ARGV[3]
local i = 4
while i <= #ARGV do
    local live, count = P .. 'live:' .. ARGV[i], tonumber(ARGV[i + 1])
    if redis.call('EXISTS', live) == 1 then -- a plain producer has none
        local bits = {}
        for at = i + 2, i + 1 + count do bits[#bits + 1] = ARGV[at] end
        set_bits(live, bits, 0)
        if redis.call('BITCOUNT', live) == 0 then redis.call('DEL', live) end
    end
    i = i + 2 + count
end
if position ~= '' then
    redis.call('SET', P .. 'ledger', position)
    redis.call('XTRIM', P .. 'events', 'MINID', keep) -- never deleted: the key holds the last id, below which none may come again
end
return 1
