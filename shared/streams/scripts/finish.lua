-- Finishes a delivery, if it is still this consumer's: the fence against a worker that was paused past its lease.
-- KEYS: commands, open, delayed, dead letters
-- ARGV: group, consumer, entry id, delivery count, outcome (done | delay | dead), operation id ('' = none),
--       envelope (delay, dead), delay in ms (delay), error (dead)
-- Returns 1, or 0 where the delivery belongs to somebody else now, or to nobody.
local commands, open, delayed, dead_letters = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local group, consumer, entry, deliveries = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local outcome, operation, envelope = ARGV[5], ARGV[6], ARGV[7]

local pending = redis.call('XPENDING', commands, group, entry, entry, 1, consumer)
if #pending == 0 or pending[1][4] ~= deliveries then
  return 0
end
if outcome == 'delay' then
  local time = redis.call('TIME')
  local due = time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[8])
  redis.call('ZADD', delayed, string.format('%.0f', due), envelope)
else
  if outcome == 'dead' then
    redis.call('XADD', dead_letters, '*', 'command', envelope, 'error', ARGV[9], 'deliveries', deliveries)
  end
  if operation ~= '' then
    redis.call('SREM', open, operation)
  end
end
redis.call('XACK', commands, group, entry)
return 1
