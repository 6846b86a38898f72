-- Appends events to a run's capped stream, each once.
-- KEYS: stream, seen
-- ARGV: most entries kept (about), most ids remembered, how long both are kept in s, then for each: event id, event
local stream, seen, most_remembered, kept_seconds = KEYS[1], KEYS[2], tonumber(ARGV[2]), ARGV[3]

local time = redis.call('TIME')
local now = time[1] .. '.' .. string.format('%06d', time[2])
for index = 4, #ARGV, 2 do
  if redis.call('ZADD', seen, 'NX', now, ARGV[index]) == 1 then
    redis.call('XADD', stream, 'MAXLEN', '~', ARGV[1], '*', 'event', ARGV[index + 1])
  end
end
redis.call('ZREMRANGEBYRANK', seen, 0, -(most_remembered + 1))
redis.call('EXPIRE', stream, kept_seconds)
redis.call('EXPIRE', seen, kept_seconds)
