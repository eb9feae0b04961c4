#!lua flags=allow-oom
-- What tenants have used of their month, from the ledger: what it knows up to `position`, with what the stream has behind it and
-- what hands hold. ARGV: prefix, position, month, most stream entries behind it, then tenant, messages, tenant ...
-- Gives how many were counted; -1: not now (nodes are telling their journals, the ledger is behind or another's, the month ended)
local position, month, most = ARGV[2], ARGV[3], tonumber(ARGV[4])
local _, _, phase = epoch_of()
if phase ~= 'ok' or month ~= month_of(now) then return -1 end

-- Whoever trimmed the stream behind our position is ahead of us.
local function parts_of(id)
    local ms, sequence = string.match(id or '', '^(%d+)-(%d+)$')
    return tonumber(ms or 0), tonumber(sequence or 0)
end
local ms, sequence = parts_of(position)
local told_ms, told_sequence = parts_of(redis.call('GET', P .. 'ledger') or '')
if told_ms > ms or (told_ms == ms and told_sequence > sequence) then return -1 end
local behind = redis.call('XRANGE', P .. 'events', position == '' and '-' or '(' .. position, '+', 'COUNT', most + 1)
if #behind > most then return -1 end

local counts, late = {}, {}
for i = 5, #ARGV, 2 do counts[ARGV[i]] = tonumber(ARGV[i + 1]) end
for _, row in ipairs(behind) do
    for i = 1, #row[2], 2 do
        for _, event in ipairs(cjson.decode(row[2][i + 1])) do
            local sent = event.kind == 'delivered' or event.kind == 'bounced'
            if counts[event.tenant] and row[2][i] == 'l' then late[event.tenant] = true -- the ledger may know it already
            elseif counts[event.tenant] and sent and month_of(tonumber(event.at) or 0) == month then
                counts[event.tenant] = counts[event.tenant] + 1
            end
        end
    end
end
for _, node in ipairs(redis.call('HKEYS', P .. 'nodes')) do
    for _, value in ipairs(redis.call('HVALS', P .. 'hand:' .. node)) do
        local tenant = string.match(value, '^%d([^\n]*)')
        if counts[tenant] then counts[tenant] = counts[tenant] + 1 end
    end
end
local counted, tenants = 0, {}
for tenant in pairs(counts) do tenants[#tenants + 1] = tenant end
load_accounts(tenants)
for _, tenant in ipairs(tenants) do
    local account = accounts[tenant]
    if not late[tenant] then
        if account and account.quota then
            account.count = counts[tenant]
            account.changed, account.look_again = true, true
        end
        redis.call('SREM', P .. 'uncounted', tenant)
        counted = counted + 1
    end
end
save_accounts()
return counted
