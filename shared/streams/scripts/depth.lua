-- How much a service has before it.
-- KEYS: commands, delayed, dead letters     ARGV: group, most entries to count one by one
-- Returns {entries not delivered yet, pending, delayed, delayed and due, dead letters, age of the oldest in ms}.
local commands, delayed, dead_letters, group, most = KEYS[1], KEYS[2], KEYS[3], ARGV[1], tonumber(ARGV[2])

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lag, pending, oldest = redis.call('XLEN', commands), 0, nil
local last = '0-0'

if redis.call('EXISTS', commands) == 1 then
  for _, raw in ipairs(redis.call('XINFO', 'GROUPS', commands)) do
    local info = {}
    for index = 1, #raw, 2 do
      info[raw[index]] = raw[index + 1]
    end
    if info['name'] == group then
      last, pending, lag = info['last-delivered-id'], info['pending'], info['lag']
      oldest = redis.call('XPENDING', commands, group)[2] or nil
    end
  end
end
local next_entry = redis.call('XRANGE', commands, '(' .. last, '+', 'COUNT', 1)[1]
if not next_entry then
  lag = 0
elseif not lag then
  -- the server cannot tell after deletions ahead of the group
  lag = #redis.call('XRANGE', commands, '(' .. last, '+', 'COUNT', most)
end
oldest = oldest or (next_entry and next_entry[1])
local age = oldest and math.max(now - tonumber(string.match(oldest, '^(%d+)-')), 0) or 0
return {
  lag, pending, redis.call('ZCARD', delayed), redis.call('ZCOUNT', delayed, '-inf', string.format('%.0f', now)),
  redis.call('XLEN', dead_letters), age,
}
