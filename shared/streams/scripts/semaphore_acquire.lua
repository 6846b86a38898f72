-- Asks for one of a semaphore's leases, first come, first served.
-- KEYS: holders, queue, askers, fence
-- ARGV: holder, how many leases there are, length of a lease in ms, after how many ms an asker that is silent is forgotten
-- holders: sorted set, holder → end of its lease; queue: holder → ticket; askers: holder → when it is forgotten.
-- Returns {fencing token (0 = not yet), how many are before it}.
local holders, queue, askers, fence = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local holder, leases, lease, patience = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

redis.call('ZREMRANGEBYSCORE', holders, '-inf', string.format('%.0f', now))
for _, silent in ipairs(redis.call('ZRANGEBYSCORE', askers, '-inf', string.format('%.0f', now))) do
  redis.call('ZREM', askers, silent)
  redis.call('ZREM', queue, silent)
end
if not redis.call('ZSCORE', queue, holder) then
  redis.call('ZADD', queue, redis.call('INCR', fence), holder)
end
local before = redis.call('ZRANK', queue, holder) + redis.call('ZCARD', holders) - leases
if before < 0 then
  redis.call('ZREM', queue, holder)
  redis.call('ZREM', askers, holder)
  redis.call('ZADD', holders, string.format('%.0f', now + lease), holder)
  before = -1
else
  redis.call('ZADD', askers, string.format('%.0f', now + patience), holder)
end
for index = 1, 4 do
  redis.call('PEXPIRE', KEYS[index], lease + patience + 86400000)
end
return {before < 0 and redis.call('INCR', fence) or 0, before + 1}
