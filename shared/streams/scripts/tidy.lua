-- Trims a command stream to what is finished and older than the retention, and ends consumers long gone.
-- KEYS: commands     ARGV: group, retention in ms, idle time in ms after which a consumer that holds nothing is ended
-- Returns {entries trimmed, consumers ended}.
local commands, group = KEYS[1], ARGV[1]
local retention, idle_limit = tonumber(ARGV[2]), tonumber(ARGV[3])

local function fields(list)
  local map = {}
  for index = 1, #list, 2 do
    map[list[index]] = list[index + 1]
  end
  return map
end

local function milliseconds(entry)
  return tonumber(string.match(entry, '^(%d+)-'))
end

local time = redis.call('TIME')
local keep_from = time[1] * 1000 + math.floor(time[2] / 1000) - retention

-- nothing that any group has not acknowledged is trimmed; whole milliseconds, so that ids need no comparing
for _, raw in ipairs(redis.call('XINFO', 'GROUPS', commands)) do
  local info = fields(raw)
  keep_from = math.min(keep_from, milliseconds(info['last-delivered-id']))
  local oldest = redis.call('XPENDING', commands, info['name'])[2]
  if oldest then
    keep_from = math.min(keep_from, milliseconds(oldest))
  end
end
local trimmed = redis.call('XTRIM', commands, 'MINID', string.format('%.0f', math.max(keep_from, 0)))

local ended = 0
for _, raw in ipairs(redis.call('XINFO', 'CONSUMERS', commands, group)) do
  local info = fields(raw)
  if info['pending'] == 0 and info['idle'] > idle_limit then
    redis.call('XGROUP', 'DELCONSUMER', commands, group, info['name'])
    ended = ended + 1
  end
end
return {trimmed, ended}
