#!lua
-- Queues messages of one tenant that are not queued yet. No allow-oom: it is the one script that adds to the memory.
-- ARGV: prefix, tenant, share of maxmemory, epoch that must be whole ('': any), contract version, lease ms, then for each message:
-- batch ('': as before), index, priority, time (ms, 0: now), entry
-- What has its bit set is queued already, what has a `done` has ended: both are skipped.
-- Gives {queued, skipped}, {-1, percent used} when the memory is used up to the share, or {-2, 0} when the epoch is another
local tenant, share, demanded = ARGV[2], tonumber(ARGV[3]), ARGV[4]
local other, theirs = other_contract(tonumber(ARGV[5]), tonumber(ARGV[6]))
if other then return refuse_contract(other, theirs) end
if demanded ~= '' then
    local epoch, run, phase = epoch_of()
    if epoch ~= demanded or phase ~= 'ok' or run ~= this_run() then return { -2, 0 } end
end
local FIRST = 7
local used, most = memory()
if most > 0 and used >= most * share then return { -1, math.floor(used * 100 / most) } end

local ended, batch, bits, was_live, seen = {}, nil, {}, {}, {}
if redis.call('EXISTS', P .. 'dones') == 1 then -- rare, as in claim
    for i = FIRST, #ARGV, 5 do
        if ARGV[i] ~= '' then batch = ARGV[i] end
        ended[i] = redis.call('EXISTS', P .. 'done:' .. batch .. '.' .. ARGV[i + 1]) == 1
    end
end
for i = FIRST, #ARGV, 5 do
    if ARGV[i] ~= '' then batch = ARGV[i] end
    if not ended[i] then
        bits[batch] = bits[batch] or {}
        table.insert(bits[batch], ARGV[i + 1])
    end
end
for of, indices in pairs(bits) do was_live[of], seen[of] = set_bits(P .. 'live:' .. of, indices, 1), 0 end
local lists, queued, skipped = {}, 0, 0
for i = FIRST, #ARGV, 5 do
    local index, prio, time, entry = ARGV[i + 1], ARGV[i + 2], tonumber(ARGV[i + 3]), ARGV[i + 4]
    if ARGV[i] ~= '' then batch = ARGV[i] end
    if not ended[i] then seen[batch] = seen[batch] + 1 end
    if ended[i] or was_live[batch][seen[batch]] == 1 then skipped = skipped + 1
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
