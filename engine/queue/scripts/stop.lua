#!lua flags=allow-oom
-- Gives up a node's name. ARGV: prefix, node, incarnation
-- Gives: entries still in the hand (then the name stays, with a lease that is over, and others take the hand over),
--        0 when all is given up, -1 when more is to be moved: call again
local node, incarnation = ARGV[2], ARGV[3]
local _, holder, version = holder_of(node)
if holder ~= incarnation then return 0 end -- not ours any more: nothing to give up
local left = redis.call('HLEN', P .. 'hand:' .. node)
if left > 0 then
    redis.call('HSET', P .. 'nodes', node, string.format('0 %s %d - stopped', incarnation, version))
    return left
end
if not empty_place('node:' .. node) then return -1 end
redis.call('HDEL', P .. 'nodes', node)
return 0
