#!lua flags=allow-oom
-- Takes outcomes. ARGV: prefix, node, incarnation, name of this call, seconds that `done` stays, all events as a JSON array
-- without spaces (one string: Lua takes its time for each), then for each outcome:
--   token, message id, octets of its event, names of earlier calls that told it and whose reply was lost (with spaces
--   between), time of the retry (ms), packed value ('' : final)
-- Gives {settled, late}
local node, incarnation, call, done_ttl, events = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local CALLS_MAX = 1000 -- calls remembered: more than can be under way when a connection breaks
local hand, calls = P .. 'hand:' .. node, P .. 'told:' .. node

local tokens = {}
for i = 7, #ARGV, 6 do tokens[#tokens + 1] = ARGV[i] end
local held = {}
if holds_name(node, incarnation) then
    local values = redis.call('HMGET', hand, unpack(tokens))
    for i, token in ipairs(tokens) do held[token] = values[i] or nil end
end

local function told_by_one_of(names)
    for name in string.gmatch(names, '%S+') do
        if redis.call('ZSCORE', calls, name) then return true end
    end
    return false
end

local settled, told, late, gone, waits, dues = 0, {}, {}, {}, {}, {}
for i = 7, #ARGV, 6 do
    local token, id, earlier, time, value = ARGV[i], ARGV[i + 1], ARGV[i + 3], ARGV[i + 4], ARGV[i + 5]
    if held[token] then
        held[token] = nil
        settled = settled + 1
        gone[#gone + 1] = token
        told[#told + 1] = (i - 1) / 6
        if value ~= '' then
            dues[#dues + 1] = time
            dues[#dues + 1] = id
            waits[#waits + 1] = id
            waits[#waits + 1] = value
        end
    elseif told_by_one_of(earlier) then
        settled = settled + 1
    elseif value == '' then
        late[#late + 1] = (i - 1) / 6
        redis.call('SET', P .. 'done:' .. id, '1', 'EX', done_ttl)
        redis.call('SET', P .. 'dones', '1', 'EX', done_ttl)
        redis.call('ZREM', P .. 'due', id)
        redis.call('HDEL', P .. 'wait', id)
    end
end
if #gone > 0 then redis.call('HDEL', hand, unpack(gone)) end
if #dues > 0 then
    redis.call('ZADD', P .. 'due', unpack(dues))
    redis.call('HSET', P .. 'wait', unpack(waits))
end
if #told == #tokens then redis.call('XADD', P .. 'events', '*', 'o', events)
else
    local each, at = {}, 2 -- behind the bracket
    for i = 9, #ARGV, 6 do
        each[#each + 1] = string.sub(events, at, at + ARGV[i] - 1)
        at = at + ARGV[i] + 1
    end
    for i, event in ipairs(told) do told[i] = each[event] end
    for i, event in ipairs(late) do late[i] = each[event] end
    tell(told, late)
end
redis.call('ZADD', calls, digits(now), call)
redis.call('ZREMRANGEBYRANK', calls, 0, -CALLS_MAX - 1)
redis.call('EXPIRE', calls, 3600)
return { settled, #late }
