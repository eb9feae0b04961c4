#!lua
-- Queues messages of one batch that are not queued yet. No allow-oom: it is the one script that adds to the memory.
-- ARGV: prefix, tenant, batch, share of maxmemory, then for each message: index, priority, time (ms, 0: now), entry
-- Gives {queued, skipped}, or {-1, percent used} when the memory is used up to the share
local tenant, batch, share = ARGV[2], ARGV[3], tonumber(ARGV[4])
local memory = redis.call('INFO', 'memory')
local used = tonumber(string.match(memory, 'used_memory:(%d+)'))
local most = tonumber(string.match(memory, 'maxmemory:(%d+)'))
if most > 0 and used >= most * share then return { -1, math.floor(used * 100 / most) } end

local bits = {}
for i = 5, #ARGV, 4 do bits[#bits + 1] = ARGV[i] end
local was_live = set_bits(P .. 'live:' .. batch, bits, 1)
local lists, queued, skipped = {}, 0, 0
for i = 5, #ARGV, 4 do
    local index, prio, time, entry = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2]), ARGV[i + 3]
    if was_live[(i - 1) / 4] == 1 then skipped = skipped + 1
    else
        queued = queued + 1
        if time > now then wait_until(time, batch .. '.' .. index, packed(prio, tenant, entry))
        else
            lists[prio] = lists[prio] or {}
            table.insert(lists[prio], entry)
        end
    end
end
for prio, entries in pairs(lists) do
    in_parts('RPUSH', ready_key(tenant, prio), entries)
    activate(tenant, prio)
end
return { queued, skipped }
