-- The newest position of a run's stream: always a real entry, so that it can be told later whether it is still there.
-- KEYS: stream     ARGV: how long the stream is kept in s
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
if #last > 0 then
  return last[1][1]
end
local mark = redis.call('XADD', KEYS[1], '*', 'mark', '')
redis.call('EXPIRE', KEYS[1], ARGV[1])
return mark
