#!lua flags=allow-oom
-- Takes a node's name. ARGV: prefix, node, incarnation, contract version, lease ms, 1 when the last one is known dead
-- Gives: {'ok'}, {'held', ms until its lease ends} or {'version', node, its version}
local node, incarnation, version, lease, crashed = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6] == '1'
local heartbeat, holder = holder_of(node)
if holder and holder ~= incarnation and holder ~= '-' and not crashed and now - heartbeat < lease then
    return { 'held', digits(lease - (now - heartbeat)) }
end
for _, other in ipairs(nodes_alive(lease)) do
    local _, _, theirs = holder_of(other)
    if other ~= node and theirs ~= version then return { 'version', other, theirs } end
end
redis.call('HSET', P .. 'nodes', node, string.format('%s %s %d starting', digits(now), incarnation, version))
redis.call('SET', P .. 'epoch', digits(now) .. ':' .. incarnation, 'NX')
return { 'ok' }
