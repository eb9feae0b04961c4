#!lua flags=allow-oom
-- Moves a dead node's hand, and what was put aside for it, to the heads of the ready lists: at most 1,000 entries a call.
-- ARGV: prefix, dead node, lease ms. Gives {entries moved, 1 when more are left}
-- The name stays until all is moved, held by nobody ('-'), so that a crash in between leaves nothing that no key names,
-- and the dead node, should it still live, is stale from the first call on.
local node, lease = ARGV[2], tonumber(ARGV[3])
local heartbeat, holder, version = holder_of(node)
if not heartbeat or (holder ~= '-' and now - heartbeat < lease) then return { 0, 0 } end
redis.call('HSET', P .. 'nodes', node, string.format('%s - %d - taken-over', digits(heartbeat), version))
local hand = P .. 'hand:' .. node
local pairs_of_hand = redis.call('HRANDFIELD', hand, 1000, 'WITHVALUES')
local tokens = {}
for i = 1, #pairs_of_hand, 2 do
    local prio, tenant, entry = unpacked(pairs_of_hand[i + 1])
    tokens[#tokens + 1] = pairs_of_hand[i]
    to_ready(prio, tenant, entry)
    give_back(tenant, pairs_of_hand[i], true)
end
save_accounts()
if #tokens > 0 then redis.call('HDEL', hand, unpack(tokens)) end
if redis.call('EXISTS', hand) == 1 then return { #tokens, 1 } end
if not empty_place('node:' .. node) then return { #tokens, 1 } end
redis.call('HDEL', P .. 'nodes', node)
return { #tokens, 0 }
