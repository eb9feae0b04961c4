#!lua flags=allow-oom
-- Takes or renews a lock. ARGV: prefix, its name, owner, its lease ms, contract version, nodes' lease ms. Gives 1 when it is ours
local key, owner, lease = P .. ARGV[2], ARGV[3], ARGV[4]
local other, theirs = other_contract(tonumber(ARGV[5]), tonumber(ARGV[6]))
if other then return refuse_contract(other, theirs) end
local holder = redis.call('GET', key)
if holder and holder ~= owner then return 0 end
redis.call('SET', key, owner, 'PX', lease)
return 1
