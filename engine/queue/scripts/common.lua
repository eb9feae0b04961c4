-- Put in front of each script (after its #!lua line) when the program is built. ARGV[1] is the pool's key prefix,
-- KEYS[1] one key of the pool, so that a cluster finds the slot: all other keys share its hash tag.

local P = ARGV[1]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000) -- Unix milliseconds

-- Lua writes large numbers as 1.7e+12; keys, scores and values want digits.
local function digits(number) return string.format('%.0f', number) end

-- `unpack` fails near 8,000 values. An even number, so that pairs stay together.
local PART = 5000
local function in_parts(command, key, values)
    for from = 1, #values, PART do
        redis.call(command, key, unpack(values, from, math.min(from + PART - 1, #values)))
    end
end

-- Sets bits of a bitmap; gives what they were. A third of the cost of a SETBIT for each.
local function set_bits(key, indices, to)
    local were = {}
    for from = 1, #indices, 1000 do
        local command = {}
        for i = from, math.min(from + 999, #indices) do
            local at = #command
            command[at + 1], command[at + 2], command[at + 3], command[at + 4] = 'SET', 'u1', indices[i], to
        end
        for _, was in ipairs(redis.call('BITFIELD', key, unpack(command))) do were[#were + 1] = was end
    end
    return were
end

-- In hands and in `wait` an entry stands behind its priority, its tenant and a line feed: no script parses JSON to move it.
local function packed(prio, tenant, entry) return prio .. tenant .. '\n' .. entry end
local function unpacked(value) return string.match(value, '^(%d)([^\n]*)\n(.*)$') end

local function ready_key(tenant, prio) return P .. 'ready:' .. tenant .. ':' .. prio end

-- A newcomer starts at 0, which `claim` lifts to the floor of virtual time.
local function activate(tenant, prio) redis.call('ZADD', P .. 'active:' .. prio, 'NX', 0, tenant) end

-- The heartbeat (ms) and the incarnation that hold a node's name; nothing when nobody does.
local function holder_of(node)
    local value = redis.call('HGET', P .. 'nodes', node)
    if not value then return nil end
    local heartbeat, incarnation, version = string.match(value, '^(%d+) (%S*) (%d+)')
    return tonumber(heartbeat), incarnation, tonumber(version)
end

local function holds_name(node, incarnation)
    local _, holder = holder_of(node)
    return holder == incarnation
end

-- The epoch's id, the run of Redis that it is of, and 'ok' or 'recovering'; nothing when Redis has lost it.
local function epoch_of() return string.match(redis.call('GET', P .. 'epoch') or '', '^(%S+) (%S+) (%S+)$') end

local function this_run() return string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') end

-- The last outcome of a node that was told, by its journal's count. A journal that is another one counts anew.
local function told_of(node, journal)
    local of, sequence = string.match(redis.call('HGET', P .. 'told', node) or '', '^(%S+) (%d+)$')
    return of == journal and tonumber(sequence) or 0
end

local function last_position()
    local info = redis.pcall('XINFO', 'STREAM', P .. 'events')
    if type(info) ~= 'table' or info.err then return '0-0' end
    for i = 1, #info, 2 do
        if info[i] == 'last-generated-id' then return info[i + 1] end
    end
    return '0-0'
end

-- Octets used, and how many Redis may use (0: no bound).
local function memory()
    local info = redis.call('INFO', 'memory')
    return tonumber(string.match(info, 'used_memory:(%d+)')), tonumber(string.match(info, 'maxmemory:(%d+)'))
end

local STALE = { err = 'STALE this node lost its name: another incarnation has it, or it was taken over' }

-- node -> until (ms), from an entry that `release` gave such a map; it is always the first field.
local function avoid_of(entry)
    local avoid = {}
    local map = string.match(entry, '^{"avoid":{([^}]*)},')
    if map then
        for node, time in string.gmatch(map, '"([^"]*)":(%d+)') do avoid[node] = tonumber(time) end
    end
    return avoid
end

local function with_avoid(entry, avoid)
    local rest = string.match(entry, '^{"avoid":{[^}]*},(.*)$') or string.match(entry, '^%s*{%s*(.*)$')
    local map = {}
    for node, time in pairs(avoid) do
        if time > now then map[#map + 1] = '"' .. node .. '":' .. digits(time) end
    end
    return '{"avoid":{' .. table.concat(map, ',') .. '},' .. rest
end

-- The message id. The engine writes it in a fixed place; only what a plain producer wrote must be decoded for it.
local function id_of(entry)
    local id = string.match(entry, '^{"v":1,"id":"([%x.-]+)"') or
        string.match(entry, '^{"avoid":{[^}]*},"v":1,"id":"([%x.-]+)"')
    if id then return id end
    local fine, object = pcall(cjson.decode, entry)
    if fine and type(object) == 'table' and type(object.id) == 'string' then return string.lower(object.id) end
    return nil
end

local DEAD_MAX, DEAD_ENTRY_MAX = 10000, 16384 -- entries, octets of each: 160 MB at the worst
local function bury(tenant, reason, entry)
    redis.call('XADD', P .. 'dead', 'MAXLEN', '~', DEAD_MAX, '*', 'reason', reason, 'tenant', tenant, 'octets', #entry,
        'entry', string.sub(entry, 1, DEAD_ENTRY_MAX))
end

-- Back to the head of its ready list. Never fails, because what calls it has taken the entry from elsewhere already.
local function to_ready(prio, tenant, entry)
    local pushed = redis.pcall('LPUSH', ready_key(tenant, prio), entry)
    if type(pushed) == 'table' then bury(tenant, 'malformed: the ready list of its tenant is not a list', entry)
    else activate(tenant, prio) end
end

-- To `due`: member is the message id, so that `cancel` and a late outcome find it without a search.
local function wait_until(time, id, value)
    redis.call('ZADD', P .. 'due', digits(time), id)
    redis.call('HSET', P .. 'wait', id, value)
end

-- Places of campaigns that are paused. No claim looks there; `reopen` empties them.
local function is_of_campaign(place) return string.sub(place, 1, 9) == 'campaign:' end

-- Where entries of a priority wait for room at a place: each priority in a place of its own, so that what is less urgent
-- stands in nobody's way. Normal is the place itself. A campaign has one for all: what waits there competes for nothing.
local function waiting_place(place, prio)
    if is_of_campaign(place) then return place end
    return prio == '0' and 'high:' .. place or prio == '2' and 'low:' .. place or place
end

-- To a place's list of the tenant; high priority goes in front. The place's zset and the index of places know it then.
local function park_at(place, tenant, entries) -- entries: {prio, entry} in their order
    local zset, front, back = P .. 'parked:' .. place, {}, {}
    for _, one in ipairs(entries) do
        if one[1] == '0' then table.insert(front, 1, one[1] .. one[2]) else back[#back + 1] = one[1] .. one[2] end
    end
    local lowest = redis.call('ZRANGE', zset, 0, 0, 'WITHSCORES')
    in_parts('LPUSH', zset .. ':' .. tenant, front)
    in_parts('RPUSH', zset .. ':' .. tenant, back)
    redis.call('ZADD', zset, 'NX', lowest[2] or 0, tenant)
    if is_of_campaign(place) then redis.call('SADD', P .. 'paused', place)
    else redis.call('ZADD', P .. 'parked', 'NX', 0, place) end
end

local live_nodes
local live_versions = {} -- of their contract
local function nodes_alive(lease)
    if live_nodes then return live_nodes end
    live_nodes = {}
    local all = redis.call('HGETALL', P .. 'nodes')
    for i = 1, #all, 2 do
        local heartbeat, incarnation, version = string.match(all[i + 1], '^(%d+) (%S*) (%d+)')
        if heartbeat and incarnation ~= '-' and now - tonumber(heartbeat) < lease then
            live_nodes[#live_nodes + 1] = all[i]
            live_versions[all[i]] = tonumber(version)
        end
    end
    return live_nodes
end

-- A live node (not `except`) that speaks another version of this contract, and which. While there is one, nothing is written
-- that it would have to read.
local function other_contract(version, lease, except)
    for _, node in ipairs(nodes_alive(lease)) do
        if node ~= except and live_versions[node] ~= version then return node, live_versions[node] end
    end
end

local function refuse_contract(node, version)
    return { err = string.format('CONTRACT node %s speaks version %d of the contract', node, version) }
end

-- An entry that some nodes do not want for a time. A live node that wants it gets it, in a place of its own, which the
-- others leave alone; with none it sleeps until the first of them wants it again. So nobody finds it again and again.
local function put_aside(prio, tenant, entry, avoid, lease, token)
    local willing, first = {}, nil
    for _, node in ipairs(nodes_alive(lease)) do
        local time = avoid[node]
        if not time or time <= now then willing[#willing + 1] = node
        elseif not first or time < first then first = time end
    end
    entry = with_avoid(entry, avoid)
    if #willing > 0 then
        park_at('node:' .. willing[clock[2] % #willing + 1], tenant, { { prio, entry } })
        return
    end
    for _, time in pairs(avoid) do first = first or time end -- none of them lives: any of the times
    wait_until(first or now, id_of(entry) or token, packed(prio, tenant, entry))
end

-- At most 1,000 entries of a place back to the heads of their ready lists. True when the place is empty.
local function empty_place(place)
    local zset, left = P .. 'parked:' .. place, 1000
    while left > 0 do
        local tenant = redis.call('ZRANGE', zset, 0, 0)[1]
        if not tenant then break end
        local entries = redis.call('RPOP', zset .. ':' .. tenant, left) or {}
        for _, entry in ipairs(entries) do
            to_ready(string.sub(entry, 1, 1), tenant, string.sub(entry, 2))
        end
        if #entries < left then redis.call('ZREM', zset, tenant) end
        left = left - math.max(#entries, 1)
    end
    if redis.call('EXISTS', zset) == 1 then return false end
    redis.call('ZREM', P .. 'parked', place)
    return true
end

-- One stream entry for all outcomes of a call: `o` on time, `l` late, each a JSON array.
local function tell(on_time, late)
    local fields = {}
    if #on_time > 0 then
        fields[#fields + 1] = 'o'
        fields[#fields + 1] = '[' .. table.concat(on_time, ',') .. ']'
    end
    if #late > 0 then
        fields[#fields + 1] = 'l'
        fields[#fields + 1] = '[' .. table.concat(late, ',') .. ']'
    end
    if #fields == 0 then return nil end
    return redis.call('XADD', P .. 'events', '*', unpack(fields))
end
