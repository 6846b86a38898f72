-- What a consumer does every third of a lease: bring back what is due, renew what it holds, take over what is idle.
-- KEYS: commands, quarantine
-- ARGV: group, consumer, lease in ms, free slots, most deliveries without a verdict, most due entries to bring back,
--       then for each delivery it holds: entry id, delivery count
-- Returns {time in ms, entries brought back, {lost entry ids}, {{entry id, delivery count, envelope}, …}, quarantine}.
-- A delivery count of the most, plus one, tells that the entry is to be given up.
-- quarantine: 1 = this consumer holds the quarantine: it reads nothing, and runs what it is given alone.
local quarantine = KEYS[2]
local consumer = ARGV[2]
local lease, free, most, most_due = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])

-- what was delayed was let in before: it goes in front of its lane, the first due foremost
local due = redis.call('ZRANGEBYSCORE', delayed, '-inf', whole(now), 'LIMIT', 0, most_due)
for index = #due, 1, -1 do
  redis.call('ZREM', delayed, due[index])
  enqueue(read_item(due[index]), true)
end

local owned = {}
for _, pending in ipairs(redis.call('XPENDING', commands, group, '-', '+', 100000, consumer)) do
  owned[pending[1]] = pending[4]
end

-- one call for an entry: an argument list unpacked in the middle would pass its first value only
local lost, held, alone = {}, 0, false
for index = 7, #ARGV, 2 do
  local entry = ARGV[index]
  if owned[entry] == tonumber(ARGV[index + 1]) then
    redis.call('XCLAIM', commands, group, consumer, 0, entry, 'JUSTID')
    held = held + 1
    alone = alone or (most > 1 and owned[entry] >= most)
  else
    lost[#lost + 1] = entry
  end
  owned[entry] = nil
end

local taken = {}
local function take(entry, deliveries, claim)
  local found = redis.call('XRANGE', commands, entry, entry)
  if #found == 0 then
    redis.call('XACK', commands, group, entry)
    return
  end
  if claim then
    redis.call('XCLAIM', commands, group, consumer, 0, entry, 'JUSTID', 'RETRYCOUNT', deliveries)
  else
    redis.call('XCLAIM', commands, group, consumer, 0, entry, 'JUSTID')
  end
  taken[#taken + 1] = {entry, deliveries, found[1][2][2]}
end

-- its own, but not held: the reply that delivered them was lost on the way
for entry, deliveries in pairs(owned) do
  if #taken < free then
    take(entry, deliveries, false)
  end
end

local holder = redis.call('GET', quarantine)
local suspects = alone
if free > #taken then
  for _, pending in ipairs(redis.call('XPENDING', commands, group, 'IDLE', lease, '-', '+', free + 100)) do
    local entry, crashes = pending[1], pending[4]
    if #taken >= free then
      break
    elseif crashes >= most then
      take(entry, most + 1, true)
    elseif crashes == most - 1 and most > 1 then
      -- it was there at every crash but one: run alone, it can take nobody with it
      if not holder or holder == consumer then
        suspects, holder = true, consumer
        if held == 0 and #taken == 0 then
          take(entry, crashes + 1, true)
          break
        end
      end
    elseif not suspects then
      take(entry, crashes + 1, true)
    end
  end
end
if suspects then
  redis.call('SET', quarantine, consumer, 'PX', lease)
elseif holder == consumer then
  redis.call('DEL', quarantine)
end

return {now, #due, lost, taken, suspects and 1 or 0}
