-- Keeps the lock of a periodic job for so long: while it runs, and then until it is due again.
-- KEYS: lock     ARGV: token, time in ms
-- Returns 1, or 0 where the lock is lost.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
