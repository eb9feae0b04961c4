#!lua flags=allow-oom
-- Renews a node's lease. ARGV: prefix, node, incarnation, contract version, lease ms, state, epoch ('-': not recovered)
-- Gives: {time (ms), share of maxmemory that is used (percent; 0: no maxmemory), names of the nodes whose lease ran out ...}
local node, incarnation, version, lease, state = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
if not holds_name(node, incarnation) then return STALE end
redis.call('HSET', P .. 'nodes', node, string.format('%s %s %d %s %s', digits(now), incarnation, version, ARGV[7], state))
local used, most = memory()
local answer = { digits(now), most > 0 and math.floor(used * 100 / most) or 0 }
local all = redis.call('HGETALL', P .. 'nodes')
for i = 1, #all, 2 do
    local heartbeat = tonumber(string.match(all[i + 1], '^(%d+) ')) or 0
    if all[i] ~= node and now - heartbeat >= lease then answer[#answer + 1] = all[i] end
end
return answer
