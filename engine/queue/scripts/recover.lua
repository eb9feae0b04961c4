#!lua flags=allow-oom
-- A node has told its journal and written its hand: nothing that it knows is missing in this epoch.
-- ARGV: prefix, node, incarnation, contract version, lease ms, epoch
-- Gives {} when claiming goes on, else the live nodes that have not said so yet
local node, incarnation, version, lease, mine = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
local epoch, run, phase = epoch_of()
if epoch ~= mine or not holds_name(node, incarnation) then return STALE end
redis.call('HSET', P .. 'nodes', node, string.format('%s %s %d %s recovered', digits(now), incarnation, version, epoch))
if phase == 'ok' then return {} end
local awaited = {}
for _, other in ipairs(nodes_alive(lease)) do
    local known = string.match(redis.call('HGET', P .. 'nodes', other), '^%d+ %S* %d+ (%S+)')
    if known ~= epoch then awaited[#awaited + 1] = other end
end
if #awaited == 0 then redis.call('SET', P .. 'epoch', epoch .. ' ' .. run .. ' ok') end
return awaited
