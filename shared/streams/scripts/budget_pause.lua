-- Pauses, for everybody: as long as GitHub asked for, or twice as long as the time before.
-- KEYS: pause, strikes     ARGV: least ms, whether it doubles (1), most ms, how long strikes are remembered in ms
-- Returns the ms of the pause; one that lasts longer already is kept.
local milliseconds = tonumber(ARGV[1])
if ARGV[2] == '1' then
  -- answers that were on their way when the pause began tell nothing new
  local strikes = tonumber(redis.call('GET', KEYS[2]) or 0)
  if redis.call('PTTL', KEYS[1]) <= 0 then
    strikes = redis.call('INCR', KEYS[2])
  end
  redis.call('PEXPIRE', KEYS[2], ARGV[4])
  milliseconds = math.min(milliseconds * 2 ^ math.max(strikes - 1, 0), tonumber(ARGV[3]))
end
if redis.call('PTTL', KEYS[1]) < milliseconds then
  redis.call('SET', KEYS[1], '1', 'PX', string.format('%.0f', milliseconds))
end
return redis.call('PTTL', KEYS[1])
