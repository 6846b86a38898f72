-- Starts a periodic job, where it is due and nobody else runs it.
-- KEYS: lock     ARGV: token, lease in ms
-- Returns 0 where it may start now, else how many ms to wait before asking again.
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
  return 0
end
return math.max(redis.call('PTTL', KEYS[1]), 1)
