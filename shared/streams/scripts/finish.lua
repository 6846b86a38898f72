-- Finishes a delivery, if it is still this consumer's: the fence against a worker that was paused past its lease.
-- KEYS: commands, dead letters
-- ARGV: group, consumer, entry id, delivery count, outcome (done | delay | dead), item, delay in ms (delay),
--       error (dead)
-- Returns 1, or 0 where the delivery belongs to somebody else now, or to nobody.
local dead_letters, consumer, entry, deliveries = KEYS[2], ARGV[2], ARGV[3], tonumber(ARGV[4])
local outcome, command = ARGV[5], read_item(ARGV[6])

local pending = redis.call('XPENDING', commands, group, entry, entry, 1, consumer)
if #pending == 0 or pending[1][4] ~= deliveries then
  return 0
end
redis.call('XACK', commands, group, entry)
if outcome == 'delay' then
  redis.call('ZADD', delayed, whole(now + tonumber(ARGV[7])), command.item)
else
  if outcome == 'dead' then
    redis.call('XADD', dead_letters, '*', 'command', command.envelope, 'error', ARGV[8], 'deliveries', deliveries)
  end
  close(command.operation, command.key)
end
return 1
