-- Takes in what an answer said of a quota.
-- KEYS: quota     ARGV: limit, remaining, ms until the reset
-- What we think is left and what GitHub says are both true bounds within one period: the lesser counts. A later reset
-- begins a new period; an earlier one is an answer that was long on its way.
local SAME_PERIOD_MS = 5000
local limit, remaining = tonumber(ARGV[1]), tonumber(ARGV[2])

local time = redis.call('TIME')
local reset = time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[3])
local known, known_reset = unpack(redis.call('HMGET', KEYS[1], 'remaining', 'reset'))
if known and reset < tonumber(known_reset) - SAME_PERIOD_MS then
  return
end
if known and reset <= tonumber(known_reset) + SAME_PERIOD_MS then
  remaining, reset = math.min(remaining, tonumber(known)), tonumber(known_reset)
end
redis.call(
  'HSET', KEYS[1], 'limit', ARGV[1], 'remaining', string.format('%.0f', remaining), 'reset', string.format('%.0f', reset))
redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', reset + SAME_PERIOD_MS))
