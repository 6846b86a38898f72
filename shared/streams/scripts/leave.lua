-- Hands back deliveries that were not run to a verdict, to be taken over by others at their next tick.
-- KEYS: commands, quarantine
-- ARGV: group, consumer, the name that entries wait under, then the entry ids; none = all, and the consumer ends
-- They crashed nobody: this delivery is not counted.
-- Returns how many were handed back.
local commands, quarantine, group, consumer, waiting = KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3]
local LONG_IDLE_MS = 864000000

local named = {}
for index = 4, #ARGV do
  named[ARGV[index]] = true
end
local all, handed_back = #ARGV == 3, 0
for _, pending in ipairs(redis.call('XPENDING', commands, group, '-', '+', 100000, consumer)) do
  if all or named[pending[1]] then
    local crashes = math.max(pending[4] - 1, 0)
    redis.call(
      'XCLAIM', commands, group, waiting, 0, pending[1], 'IDLE', LONG_IDLE_MS, 'RETRYCOUNT', crashes, 'JUSTID')
    handed_back = handed_back + 1
  end
end
if all then
  if #redis.call('XPENDING', commands, group, '-', '+', 1, consumer) == 0 then
    redis.call('XGROUP', 'DELCONSUMER', commands, group, consumer)
  end
  if redis.call('GET', quarantine) == consumer then
    redis.call('DEL', quarantine)
  end
end
return handed_back
