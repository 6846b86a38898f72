-- Finishes deliveries, each if it is still this consumer's: the fence against a worker that was paused past its lease.
-- KEYS: commands, dead letters
-- ARGV: group, consumer, then for each delivery: entry id, delivery count, outcome (done | delay | dead), item,
--       delay in ms (delay), error (dead)
-- Returns for each 1, or 0 where the delivery belongs to somebody else now, or to nobody.
local dead_letters, consumer = KEYS[2], ARGV[2]

local function finish(entry, deliveries, outcome, item, delay, error)
  local pending = redis.call('XPENDING', commands, group, entry, entry, 1, consumer)
  if #pending == 0 or pending[1][4] ~= tonumber(deliveries) then
    return 0
  end
  local command = read_item(item)
  redis.call('XACK', commands, group, entry)
  if outcome == 'delay' then
    redis.call('ZADD', delayed, whole(now + tonumber(delay)), command.item)
  else
    if outcome == 'dead' then
      redis.call('XADD', dead_letters, '*', 'command', command.envelope, 'error', error, 'deliveries', deliveries)
    end
    close(command.operation, command.key)
  end
  return 1
end

local answers = {}
for index = 3, #ARGV, 6 do
  answers[#answers + 1] = finish(unpack(ARGV, index, index + 5))
end
return answers
