#!lua flags=allow-oom
-- Takes a node's name, also again after a new connection, and sees whether Redis may have lost data: then a new epoch
-- begins, in which nothing is claimed until all live nodes have said `recover`.
-- ARGV: prefix, node, incarnation, contract version, lease ms, 1 when the last one is known dead, journal
-- Gives: {'ok', epoch, last outcome of the journal that is known, last position of the stream, 1 when the epoch is new,
--         time (ms)},
--        {'held', ms until its lease ends} or {'version', node, its version}
local node, incarnation, version, lease, crashed = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6] == '1'
local heartbeat, holder = holder_of(node)
if holder and holder ~= incarnation and holder ~= '-' and not crashed and now - heartbeat < lease then
    return { 'held', digits(lease - (now - heartbeat)) }
end
local other, theirs = other_contract(version, lease, node)
if other then return { 'version', other, theirs } end
local epoch, of = epoch_of()
local run = this_run()
local is_new = of ~= run
if is_new then
    epoch = digits(now) .. '-' .. incarnation
    redis.call('SET', P .. 'epoch', epoch .. ' ' .. run .. ' recovering')
    recount_all()
end
redis.call('HSET', P .. 'nodes', node, string.format('%s %s %d - starting', digits(now), incarnation, version))
return { 'ok', epoch, digits(told_of(node, ARGV[7])), last_position(), is_new and 1 or 0, digits(now) }
