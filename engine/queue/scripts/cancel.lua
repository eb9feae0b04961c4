#!lua flags=allow-oom
-- Takes messages of a batch out of one list, or out of `due`, and tells `cancelled` for each.
-- ARGV: prefix, tenant, batch, map (a character for each index, '1': cancel it), list ('' for `due`), octets before the
--       entry in the list's values, distance from the tail (or first index for `due`), how many at most, contract version, lease ms
-- Gives {cancelled, next distance or index (-1: at the end)}
-- A list is read from its tail, by distance from the tail: claims take from the head, so they never move what is still to
-- be read out of sight; what is pushed behind only makes us read some entries twice.
local tenant, batch, map, key, skip = ARGV[2], ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6])
local from, most = tonumber(ARGV[7]), tonumber(ARGV[8])
local told = {}
local other, theirs = other_contract(tonumber(ARGV[9]), tonumber(ARGV[10]))
if other then return refuse_contract(other, theirs) end

local function wanted(entry)
    if not string.find(string.lower(entry), batch, 1, true) then return nil end
    local id = id_of(entry)
    local of, index = string.match(id or '', '^([%x-]+)%.(%d+)$')
    return of == batch and string.byte(map, index + 1) == 49 and id or nil
end

local function cancelled(id, entry)
    local object = cjson.decode(entry)
    local event = { id = id .. ':cancelled:0', message = id, tenant = tenant, to = object.to, kind = 'cancelled' }
    if type(object.campaign) == 'string' then event.campaign = object.campaign end
    if type(object.mailbox) == 'string' then event.mailbox = object.mailbox end
    local text = cjson.encode(event)
    local queued = tonumber(object.queued) or now -- numbers by hand: cjson would round or write an exponent
    told[#told + 1] = string.sub(text, 1, -2) ..
        string.format(',"at":%s,"attempt":%d,"latency":%s}', digits(now), tonumber(object.attempt) or 0,
            digits(math.max(0, now - queued)))
end

if key == '' then
    local at = from
    while at < #map and at - from < most do
        local id = batch .. '.' .. digits(at)
        local value = string.byte(map, at + 1) == 49 and redis.call('HGET', P .. 'wait', id)
        local _, owner, entry = unpacked(value or '')
        if owner == tenant and pcall(cancelled, id, entry) then
            redis.call('ZREM', P .. 'due', id)
            redis.call('HDEL', P .. 'wait', id)
        end
        at = at + 1
    end
    tell(told, {})
    return { #told, at < #map and at or -1 }
end

local entries = redis.call('LRANGE', key, -(from + most), -(from + 1))
local first = math.max(redis.call('LLEN', key) - from - most, 0)
for i, value in ipairs(entries) do
    local entry = string.sub(value, skip + 1)
    local id = wanted(entry)
    if id and pcall(cancelled, id, entry) then redis.call('LSET', key, first + i - 1, '') end
end
if #told > 0 then redis.call('LREM', key, 0, '') end
tell(told, {})
return { #told, #entries < most and -1 or from + #entries - #told }
