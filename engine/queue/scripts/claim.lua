#!lua flags=allow-oom
-- Moves entries into a node's hand, in fair order. Rules and costs: engine/queue/README.md.
-- ARGV: prefix, node, incarnation, lease ms, entries at most, of them from ready lists, of a tenant at weight 1, of a place,
--       octets of an entry at most, then place, room, place, room ...: of places with another room, 0 when they are full
-- Gives: token, packed value, token, packed value ...
local node, incarnation, lease = ARGV[2], ARGV[3], tonumber(ARGV[4])
local most, ready_most, quantum = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local per_place, entry_max = tonumber(ARGV[8]), tonumber(ARGV[9])
if not holds_name(node, incarnation) then return STALE end
local epoch, _, phase = epoch_of()
if not epoch then return STALE end
if phase ~= 'ok' then return { err = 'RECOVERING Redis may have lost data: nodes are telling their journals' } end
local room = {}
for i = 10, #ARGV, 2 do room[ARGV[i]] = tonumber(ARGV[i + 1]) end

local PROMOTE_MAX = 200   -- entries of `due` a call
local TENANTS_MAX = 300   -- tenants looked at a call and priority (or place), so that a set of empty ones cannot block
local PLACES_MAX = 128    -- places looked at a call
local ASIDE_MAX = 200     -- entries put aside a call

local function promote()
    local ids = redis.call('ZRANGE', P .. 'due', '-inf', digits(now), 'BYSCORE', 'LIMIT', 0, PROMOTE_MAX)
    if #ids == 0 then return end
    local values = redis.call('HMGET', P .. 'wait', unpack(ids))
    redis.call('ZREM', P .. 'due', unpack(ids))
    redis.call('HDEL', P .. 'wait', unpack(ids))
    for i = #ids, 1, -1 do -- the first due ends up at the head
        if values[i] then to_ready(unpacked(values[i])) end
    end
end

local taken = {}      -- {prio, tenant, entry}
local asides = 0
local function admit(prio, tenant, entry)
    if #entry > entry_max then
        bury(tenant, 'too_long: the entry is longer than ' .. entry_max .. ' octets', entry)
        return false
    end
    if string.sub(entry, 1, 10) == '{"avoid":{' then
        local avoid = avoid_of(entry)
        if avoid[node] and avoid[node] > now then
            asides = asides + 1
            put_aside(prio, tenant, entry, avoid, lease, digits(now) .. '-' .. asides)
            return false
        end
    end
    taken[#taken + 1] = { prio, tenant, entry }
    if some_limit then charge(tenant, 1) end
    return true
end

-- A key of another type than a list is somebody's mistake. It must not stop the script half-way, when entries of
-- others are off their lists already, nor any later claim: it is taken out of the set and told.
local function pop(key, tenant, count)
    local got = redis.pcall('LPOP', key, count)
    if type(got) ~= 'table' then return {} end
    if got.err then
        bury(tenant, 'malformed: ' .. key .. ' is not a list', '')
        return {}
    end
    return got
end

local function weights_of(tenants)
    local weights = redis.call('HMGET', P .. 'weights', unpack(tenants))
    for i = 1, #tenants do
        local weight = tonumber(weights[i] or 1) or 1
        weights[i] = math.max(0.01, math.min(1000, weight))
    end
    return weights
end

-- Serves the tenants of a zset, lowest virtual time first and a turn of them each, until `budget` entries are taken. A tenant stays in the set with
-- its new time until it is found empty, so that one who refills in small lots cannot come back as a newcomer each time, or until
-- its limits permit nothing more: then it is out of the set and nobody's claim meets it.
-- Gives the entries taken and the new floor of virtual time.
local function serve(zset, key_of, budget, turn, floor, take)
    local left, looked = budget, 0
    while left > 0 and looked < TENANTS_MAX and asides < ASIDE_MAX do
        local low = redis.call('ZRANGE', zset, 0, math.ceil(left / turn) - 1, 'WITHSCORES')
        if #low == 0 then break end
        local tenants = {}
        for i = 1, #low, 2 do tenants[#tenants + 1] = low[i] end
        local weights, scores, gone = weights_of(tenants), {}, {}
        if has_limits() then load_accounts(tenants) end
        for i, tenant in ipairs(tenants) do
            if left <= 0 then break end
            local most_now = #tenants == 1 and left or math.ceil(turn * weights[i]) -- alone, it has all turns
            local permitted = some_limit and allowance(accounts[tenant]) or math.huge
            local got = permitted >= 1 and pop(key_of(tenant), tenant, math.min(left, most_now, permitted)) or {}
            if permitted < 1 then hold(tenant, zset) end
            if #got == 0 then gone[#gone + 1] = tenant
            else
                floor = math.max(floor, tonumber(low[2 * i]))
                scores[#scores + 1] = string.format('%.17g', floor + #got / weights[i])
                scores[#scores + 1] = tenant
                for _, entry in ipairs(got) do
                    if take(tenant, entry) then left = left - 1 end
                end
            end
        end
        if #scores > 0 then redis.call('ZADD', zset, unpack(scores)) end
        if #gone > 0 then redis.call('ZREM', zset, unpack(gone)) end
        looked = looked + #tenants
    end
    return budget - left, floor
end

local function from_ready(prio, budget)
    if budget <= 0 then return 0 end
    local vt = P .. 'vt:' .. prio
    local before = tonumber(redis.call('GET', vt) or 0) or 0
    local got, floor = serve(P .. 'active:' .. prio, function(tenant) return ready_key(tenant, prio) end, budget, quantum, before,
        function(tenant, entry) return admit(prio, tenant, entry) end)
    if floor ~= before then redis.call('SET', vt, string.format('%.17g', floor)) end
    return got
end

-- What is put aside for another node is taken only when its first entry does not avoid us.
local function is_open(place, with_others)
    if room[place] == 0 then return false end
    local owner = string.match(place, '^node:(.*)$')
    if not owner or owner == node then return true end
    if not with_others then return false end
    local zset = P .. 'parked:' .. place
    local tenant = redis.call('ZRANGE', zset, 0, 0)[1]
    local head = tenant and redis.call('LINDEX', zset .. ':' .. tenant, 0)
    if not head then return true end
    return (avoid_of(string.sub(head, 2))[node] or 0) <= now
end

-- Of one place, at most so many. The fewer it takes and the more tenants wait there, the smaller are their turns, down to one
-- message: so a round of all tenants is four claims, or as short as it can be, and who comes has its first message out in it.
local function from_place(place, most)
    local zset = P .. 'parked:' .. place
    local budget = math.min(most, room[place] or per_place)
    local turn = math.max(1, math.min(quantum, math.floor(4 * budget / redis.call('ZCARD', zset))))
    local here = serve(zset, function(tenant) return zset .. ':' .. tenant end, budget, turn, 0,
        function(tenant, entry) return admit(string.sub(entry, 1, 1), tenant, string.sub(entry, 2)) end)
    if room[place] then room[place] = room[place] - here end
    return here, redis.call('EXISTS', zset) == 0
end

-- Places by priority, of each those first that were looked at longest ago. What is put aside for a node is mixed.
local function places()
    local all = { [0] = {}, {}, {} }
    for _, place in ipairs(redis.call('ZRANGE', P .. 'parked', 0, PLACES_MAX - 1)) do
        local before = string.match(place, '^(%a+):')
        table.insert(all[before == 'high' and 0 or before == 'low' and 2 or 1], place)
    end
    return all
end

-- High before normal before low, but a share is kept for what comes behind: 30 % below high, 10 % below normal. What does
-- not divide goes to either by chance.
local KEPT = { [0] = 0.3, 0.1, 0 }
local function from_places(budget, with_others)
    if budget <= 0 then return 0 end
    local index, got, scores, all = P .. 'parked', 0, {}, places()
    for prio = 0, 2 do
        local more = #all[2] > 0 or prio == 0 and #all[1] > 0
        local most = budget - (more and math.floor(budget * KEPT[prio] + clock[2] % 10 / 10) or 0)
        for _, place in ipairs(all[prio]) do
            if got >= most then break end
            local empty = false
            if is_open(place, with_others) then
                local here
                here, empty = from_place(place, most - got)
                got = got + here
            end
            if empty then redis.call('ZREM', index, place)
            else
                scores[#scores + 1] = digits(now)
                scores[#scores + 1] = place
            end
        end
    end
    -- The index is in the order of the last look; where a call looks at all places it need not be written.
    local looked_at_all = got < budget and redis.call('ZCARD', index) <= PLACES_MAX
    if #scores > 0 and not looked_at_all then redis.call('ZADD', index, unpack(scores)) end
    return got
end

-- 70 : 20 : 10 for high, normal, low. What does not divide goes to one of them by turns, so that small claims keep the shares.
local SHARES = { [0] = 7, 2, 1 }
local function shares_of(budget)
    local shares, rest = {}, budget
    for prio = 0, 2 do
        shares[prio] = math.floor(budget * SHARES[prio] / 10)
        rest = rest - shares[prio]
    end
    while rest > 0 do
        local turn = redis.call('INCR', P .. 'turn') * 7 % 10 -- 7 and 10 share no factor: ten turns meet all ten values
        local prio = turn < 7 and 0 or turn < 9 and 1 or 2
        shares[prio] = shares[prio] + 1
        rest = rest - 1
    end
    return shares
end

-- An error half-way (a key of a wrong type) must not lose what is off its list already: that is handed out in any case.
local fine, why = pcall(function()
    promote()
    if has_limits() then return_held() end
    local left = most
    -- Parked entries are the older ones, but only half of a claim: places with much room must not starve what is new.
    left = left - from_places(math.ceil(left / 2), false)
    -- A node with nothing to do asks many times a second: that must not write.
    local fresh = math.min(left, ready_most)
    if fresh > 0 and redis.call('EXISTS', P .. 'active:0', P .. 'active:1', P .. 'active:2') > 0 then
        local shares = shares_of(fresh)
        left = left - fresh
        for prio = 0, 2 do fresh = fresh - from_ready(prio, shares[prio]) end
        for prio = 0, 2 do fresh = fresh - from_ready(prio, fresh) end -- what one has no use for goes to the others
        left = left + fresh
    end
    from_places(left, true)
end)
if #taken == 0 then
    if fine then return {} end
    return type(why) == 'table' and why or { err = 'ERR ' .. tostring(why) }
end
local done = {}
if redis.call('EXISTS', P .. 'dones') == 1 then -- there is a late outcome that is remembered, which is rare
    local marks = {}
    for i, one in ipairs(taken) do marks[i] = P .. 'done:' .. (id_of(one[3]) or '') end
    done = redis.call('MGET', unpack(marks))
end
local base = redis.call('INCRBY', P .. 'tokens', #taken) - #taken
local out = {}
for i, one in ipairs(taken) do
    if not done[i] then -- its final outcome came late and was told: nothing is left to do
        out[#out + 1] = string.format('%x-%x', now, base + i)
        out[#out + 1] = packed(one[1], one[2], one[3])
    else
        charge(one[2], -1)
    end
end
save_accounts()
if #out > 0 then in_parts('HSET', P .. 'hand:' .. node, out) end
return out
