-- Ends consumers that hold nothing and were not heard of for long.
-- KEYS: commands     ARGV: group, idle time in ms
-- Returns how many.
local commands, group, idle_limit = KEYS[1], ARGV[1], tonumber(ARGV[2])

local ended = 0
if redis.call('EXISTS', commands) == 0 then
  return ended
end
for _, raw in ipairs(redis.call('XINFO', 'CONSUMERS', commands, group)) do
  local info = {}
  for index = 1, #raw, 2 do
    info[raw[index]] = raw[index + 1]
  end
  if info['pending'] == 0 and info['idle'] > idle_limit then
    redis.call('XGROUP', 'DELCONSUMER', commands, group, info['name'])
    ended = ended + 1
  end
end
return ended
