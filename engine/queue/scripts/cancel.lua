#!lua flags=allow-oom
-- Takes messages of a batch or of a campaign out of one list, or out of `due`, and tells `cancelled` for each.
-- ARGV: prefix, tenant, batch or campaign, map (a character for each index of the batch, '1': cancel it; '': all of the
--       campaign), list ('' for `due`), octets before the entry in the list's values, distance from the tail (for `due`: the
--       first index of a batch, the cursor of a campaign), how many at most, contract version, lease ms
-- Gives {cancelled, next distance, index or cursor (-1: at the end)}
-- A list is read from its tail, by distance from the tail: claims take from the head, so they never move what is still to
-- be read out of sight; what is pushed behind only makes us read some entries twice.
local tenant, target, map, key, skip = ARGV[2], ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6])
local from, most = tonumber(ARGV[7]), tonumber(ARGV[8])
local told = {}
local some_ended = redis.call('EXISTS', P .. 'dones') == 1 -- rare, as in claim
local other, theirs = other_contract(tonumber(ARGV[9]), tonumber(ARGV[10]))
if other then return refuse_contract(other, theirs) end

local function wanted(entry)
    if not string.find(string.lower(entry), target, 1, true) then return nil end
    local id = id_of(entry)
    if map == '' then
        local fine, object = pcall(cjson.decode, entry)
        local of = fine and type(object) == 'table' and object.campaign
        return type(of) == 'string' and string.lower(of) == target and id or nil
    end
    local of, index = string.match(id or '', '^([%x-]+)%.(%d+)$')
    return of == target and string.byte(map, index + 1) == 49 and id or nil
end

-- Its final outcome came late and was told: it goes without an event.
local function ended(id) return some_ended and redis.call('EXISTS', P .. 'done:' .. id) == 1 end

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

local function take_out_of_due(id, value)
    local _, owner, entry = unpacked(value or '')
    if owner ~= tenant or not wanted(entry) then return end
    if not ended(id) and not pcall(cancelled, id, entry) then return end
    redis.call('ZREM', P .. 'due', id)
    redis.call('HDEL', P .. 'wait', id)
end

if key == '' and map == '' then
    local scanned = redis.call('HSCAN', P .. 'wait', from, 'COUNT', most)
    for i = 1, #scanned[2], 2 do take_out_of_due(scanned[2][i], scanned[2][i + 1]) end
    tell(told, {})
    return { #told, scanned[1] == '0' and -1 or tonumber(scanned[1]) }
end

if key == '' then
    local at = from
    while at < #map and at - from < most do
        local id = target .. '.' .. digits(at)
        take_out_of_due(id, string.byte(map, at + 1) == 49 and redis.call('HGET', P .. 'wait', id))
        at = at + 1
    end
    tell(told, {})
    return { #told, at < #map and at or -1 }
end

local entries = redis.call('LRANGE', key, -(from + most), -(from + 1))
local first = math.max(redis.call('LLEN', key) - from - most, 0)
local gone = 0
for i, value in ipairs(entries) do
    local entry = string.sub(value, skip + 1)
    local id = wanted(entry)
    if id and (ended(id) or pcall(cancelled, id, entry)) then
        redis.call('LSET', key, first + i - 1, '')
        gone = gone + 1
    end
end
if gone > 0 then redis.call('LREM', key, -gone, '') end -- from the tail: no further than we read
tell(told, {})
return { #told, #entries < most and -1 or from + #entries - gone }
