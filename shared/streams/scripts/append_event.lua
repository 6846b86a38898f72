-- Appends an event to a run's capped stream, once.
-- KEYS: stream, seen
-- ARGV: event id, event, most entries kept (about), most ids remembered, how long both are kept in s
-- Returns 1 where it was appended now.
local stream, seen, id = KEYS[1], KEYS[2], ARGV[1]
local most_remembered, kept_seconds = tonumber(ARGV[4]), ARGV[5]

local time = redis.call('TIME')
if redis.call('ZADD', seen, 'NX', time[1] .. '.' .. string.format('%06d', time[2]), id) == 0 then
  return 0
end
redis.call('XADD', stream, 'MAXLEN', '~', ARGV[3], '*', 'event', ARGV[2])
redis.call('ZREMRANGEBYRANK', seen, 0, -(most_remembered + 1))
redis.call('EXPIRE', stream, kept_seconds)
redis.call('EXPIRE', seen, kept_seconds)
return 1
