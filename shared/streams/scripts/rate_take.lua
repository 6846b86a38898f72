-- A token bucket: takes one token, or says in how many ms there is one.
-- KEYS: the bucket. ARGV: tokens that come a second, tokens that it holds.
-- Returns: 1 or 0 for taken, whole tokens left, ms until one more has come (to a bucket that has none) or until it is full.
local rate, size = tonumber(ARGV[1]) / 1000, tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local known = redis.call('HMGET', KEYS[1], 'left', 'at')
local left = math.min(size, (tonumber(known[1]) or size) + math.max(0, now - (tonumber(known[2]) or now)) * rate)
local taken = left >= 1 and 1 or 0
left = left - taken
redis.call('HSET', KEYS[1], 'left', tostring(left), 'at', now)
redis.call('PEXPIRE', KEYS[1], math.ceil(size / rate) + 1000)
local wanted = taken == 1 and size or 1
return {taken, math.floor(left), math.ceil((wanted - left) / rate)}
