#!lua flags=no-writes,allow-oom
-- Entries in the lists of a zset's tenants. ARGV: prefix, zset, part of the key before the tenant, part behind, from, count
-- Gives {tenants looked at, entries}
local tenants = redis.call('ZRANGE', ARGV[2], ARGV[5], ARGV[5] + ARGV[6] - 1)
local entries = 0
for _, tenant in ipairs(tenants) do
    local size = redis.pcall('LLEN', ARGV[3] .. tenant .. ARGV[4])
    if type(size) == 'number' then entries = entries + size end
end
return { #tenants, entries }
