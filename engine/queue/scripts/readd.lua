#!lua flags=allow-oom
-- The janitor's part: tenants whose ready lists exist get into `active`. ARGV: prefix, then tenant, priority, tenant ...
-- Gives how many were not there
local added = 0
for i = 2, #ARGV, 2 do
    if redis.call('EXISTS', ready_key(ARGV[i], ARGV[i + 1])) == 1 then
        added = added + redis.call('ZADD', P .. 'active:' .. ARGV[i + 1], 'NX', 0, ARGV[i])
    end
end
return added
