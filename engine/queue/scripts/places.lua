#!lua flags=no-writes,allow-oom
-- Places where entries of a tenant may be parked; campaigns' are not among them. ARGV: prefix, tenant. Gives their names
local places = redis.call('ZRANGE', P .. 'parked', 0, -1)
for _, name in ipairs(redis.call('SMEMBERS', P .. 'held:' .. ARGV[2])) do
    places[#places + 1] = string.match(name, '^parked:(.*)$')
end
return places
