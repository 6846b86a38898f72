-- Trims a command stream, never past what a group has not acknowledged.
-- KEYS: commands
-- ARGV: the id to trim up to, or '' and the age in ms beyond which to trim; most entries to trim, in whole nodes, or 0
--       for the last and exact pass
-- Returns {entries trimmed, id from which on all is kept, id that was asked for, the group that holds it back or '',
--          length afterwards}.
local commands, wanted, age, most = KEYS[1], ARGV[1], ARGV[2], ARGV[3]

-- ids have no leading zeros, so that the longer number is the greater; 64 bits are more than Lua's numbers keep
local function less(one, other)
  if #one ~= #other then
    return #one < #other
  end
  return one < other
end

local function before(one, other)
  local one_ms, one_sequence = string.match(one, '^(%d+)-(%d+)$')
  local other_ms, other_sequence = string.match(other, '^(%d+)-(%d+)$')
  return less(one_ms, other_ms) or (one_ms == other_ms and less(one_sequence, other_sequence))
end

if wanted == '' then
  local time = redis.call('TIME')
  local from = time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(age)
  wanted = string.format('%.0f-0', math.max(from, 0))
end
if redis.call('EXISTS', commands) == 0 then
  return {0, wanted, wanted, '', 0}
end

local keep_from, holder = wanted, ''
local function hold(id, name)
  if before(id, keep_from) then
    keep_from, holder = id, name
  end
end
local groups = redis.call('XINFO', 'GROUPS', commands)
if #groups == 0 then
  hold('0-0', 'no group has read it')
end
for _, raw in ipairs(groups) do
  local info = {}
  for index = 1, #raw, 2 do
    info[raw[index]] = raw[index + 1]
  end
  local oldest = redis.call('XPENDING', commands, info['name'])[2]
  if oldest then
    hold(oldest, info['name'])
  end
  -- the last that was delivered stays, whether or not anything waits behind it
  local last = info['last-delivered-id']
  hold(last, #redis.call('XRANGE', commands, '(' .. last, '+', 'COUNT', 1) > 0 and info['name'] or holder)
end

local trimmed
if most == '0' then
  trimmed = redis.call('XTRIM', commands, 'MINID', keep_from)
else
  trimmed = redis.call('XTRIM', commands, 'MINID', '~', keep_from, 'LIMIT', most)
end
return {trimmed, keep_from, wanted, holder, redis.call('XLEN', commands)}
