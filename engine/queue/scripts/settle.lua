#!lua flags=allow-oom
-- Takes outcomes. ARGV: prefix, node, incarnation, journal, seconds that `done` stays, 1 when the ledger may know them
-- already (a journal told again), all events as a JSON array without spaces (one string: Lua takes its time for each), a line
-- "<place of the outcome> <source>:<day> <share>" for each that counts for a warm-up, then for each outcome:
--   token, message id, octets of its event, its sequence in the journal (0: none), time of the retry (ms; of a final outcome
--   1: it never went out), packed value ('' : final)
-- Gives {settled, late, position of the stream}
-- Sequences only grow, so one that is not above the last that was told was told; without the name nothing is taken: what the
-- node knows is told in its order once it has joined again. An outcome that was told was counted then.
local node, incarnation, journal, done_ttl, again, events = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6] == '1', ARGV[7]
if not holds_name(node, incarnation) then return STALE end
local counts = ARGV[8]
local FIRST, COUNTS_STAY = 9, 172800 -- seconds
local hand, known = P .. 'hand:' .. node, told_of(node, journal)

local tokens = {}
for i = FIRST, #ARGV, 6 do tokens[#tokens + 1] = ARGV[i] end
local held = {}
for i, value in ipairs(redis.call('HMGET', hand, unpack(tokens))) do held[tokens[i]] = value or nil end

local settled, told, late, deferrals, gone, waits, dues, last = 0, {}, {}, {}, {}, {}, {}, known
local counted = {} -- places of those that were told before
for i = FIRST, #ARGV, 6 do
    local token, id, sequence, time, value = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 3]), ARGV[i + 4], ARGV[i + 5]
    if held[token] then
        if value ~= '' or time == '1' then give_back(string.match(held[token], '^%d([^\n]*)'), token, value == '') end
        held[token] = nil
        settled = settled + 1
        gone[#gone + 1] = token
        told[#told + 1] = (i - FIRST) / 6 + 1
        if value ~= '' then
            dues[#dues + 1] = time
            dues[#dues + 1] = id
            waits[#waits + 1] = id
            waits[#waits + 1] = value
        end
    elseif sequence > 0 and sequence <= known then
        settled = settled + 1
        counted[(i - FIRST) / 6 + 1] = true
    elseif value == '' then
        late[#late + 1] = (i - FIRST) / 6 + 1
        redis.call('SET', P .. 'done:' .. id, '1', 'EX', done_ttl)
        redis.call('SET', P .. 'dones', '1', 'EX', done_ttl)
        redis.call('ZREM', P .. 'due', id)
        redis.call('HDEL', P .. 'wait', id)
    else
        late[#late + 1] = (i - FIRST) / 6 + 1
        deferrals[late[#late]] = true
    end
    last = math.max(last, sequence)
end
if #gone > 0 then redis.call('HDEL', hand, unpack(gone)) end
if #dues > 0 then
    redis.call('ZADD', P .. 'due', unpack(dues))
    redis.call('HSET', P .. 'wait', unpack(waits))
end
local position
if #told == #tokens and not again then position = redis.call('XADD', P .. 'events', '*', 'o', events)
else
    local each, at = {}, 2 -- behind the bracket
    for i = FIRST + 2, #ARGV, 6 do
        each[#each + 1] = string.sub(events, at, at + ARGV[i] - 1)
        at = at + ARGV[i] + 1
    end
    for i, event in ipairs(told) do told[i] = each[event] end
    local worth_telling = {} -- a deferral only when it says that the message may have gone out all the same
    for _, event in ipairs(late) do
        if not deferrals[event] or string.find(each[event], '"may_be_duplicate":true', 1, true) then
            worth_telling[#worth_telling + 1] = each[event]
        end
    end
    if has_limits() then
        for _, event in ipairs(late) do
            if not deferrals[event] then forget_count(string.match(each[event], '"tenant":"([%x-]+)"')) end
        end
    end
    late = worth_telling
    if again then
        for _, event in ipairs(told) do late[#late + 1] = event end
        told = {}
    end
    position = tell(told, late) or last_position()
end
for place, key, field in string.gmatch(counts, '(%d+) (%S+) (%S+)\n') do
    if not counted[tonumber(place)] then
        redis.pcall('HINCRBY', P .. 'warmup:' .. key, field, 1)
        redis.call('EXPIRE', P .. 'warmup:' .. key, COUNTS_STAY)
    end
end
save_accounts()
if last > known then redis.call('HSET', P .. 'told', node, journal .. ' ' .. digits(last)) end
return { settled, #late, position }
