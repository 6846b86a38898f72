-- Takes units of several budgets of one identity, all or none; or only tells when they could be had.
--
-- A budget of so many units in any window is kept exactly in little memory: a hash of time buckets, each 1/128 of the
-- window. What was taken in a bucket counts until the whole bucket has left the window, so that no window of any phase
-- ever holds more than the limit; at most 1/128 of it goes unused.
--
-- A quota is what GitHub said is left until a reset. A pause is a time before which nothing may be taken.
--
-- KEYS: pauses (any may hold), then for each window its hash, then for each quota its hash
-- ARGV: take (1), ask (0) or ask for a turn (2: takes nothing, is counted among the denied), number of pauses, number of windows, for each window: limit, length in ms, units;
--       for each quota: units
-- Returns {time in ms, wait in ms (0 = taken, or could be), index in KEYS of what makes it wait, how many were denied
-- because of the same since the first of them was, ms until it is the turn of this one if those are served first}.
local BUCKETS = 128
local take, pauses, windows = ARGV[1] == '1', tonumber(ARGV[2]), tonumber(ARGV[3])

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local wait, cause = 0, 0

local function must_wait(milliseconds, index)
  if milliseconds > wait then
    wait, cause = milliseconds, index
  end
end

for index = 1, pauses do
  must_wait(redis.call('PTTL', KEYS[index]), index)
end

-- ms until so many units are free, where `used` are used, by `live` buckets: when each ends, and its units
local function until_free(live, used, limit, units)
  if used + units <= limit then
    return 0
  end
  for _, bucket in ipairs(live) do
    used = used - bucket[2]
    if used + units <= limit then
      return bucket[1] - now
    end
  end
  return 0
end

local takings, held = {}, {}
for number = 1, windows do
  local index = pauses + number
  local limit, length, units =
    tonumber(ARGV[3 * number + 1]), tonumber(ARGV[3 * number + 2]), tonumber(ARGV[3 * number + 3])
  local width = math.max(math.floor(length / BUCKETS), 1)
  local live, used, past = {}, 0, {}
  local stored = redis.call('HGETALL', KEYS[index])
  for position = 1, #stored, 2 do
    local ends = (tonumber(stored[position]) + 1) * width + length
    if ends > now then
      live[#live + 1] = {ends, tonumber(stored[position + 1])}
      used = used + tonumber(stored[position + 1])
    else
      past[#past + 1] = stored[position]
    end
  end
  if #past > 0 and take then
    redis.call('HDEL', KEYS[index], unpack(past))
  end
  if used + units > limit then
    table.sort(live, function(a, b) return a[1] < b[1] end)
    must_wait(until_free(live, used, limit, units), index)
    held[index] = {live, used, limit, units, length}
  end
  takings[number] = {KEYS[index], string.format('%.0f', math.floor(now / width)), units, length + 2 * width}
end

local quotas = {}
for index = pauses + windows + 1, #KEYS do
  local units = tonumber(ARGV[3 + 3 * windows + index - pauses - windows])
  local remaining, reset = unpack(redis.call('HMGET', KEYS[index], 'remaining', 'reset'))
  if remaining and tonumber(reset) > now then
    if tonumber(remaining) < units then
      must_wait(tonumber(reset) - now, index)
    end
    quotas[#quotas + 1] = {KEYS[index], units}
  end
end

if take and wait == 0 then
  for _, taking in ipairs(takings) do
    if taking[3] > 0 then
      redis.call('HINCRBY', taking[1], taking[2], taking[3])
      redis.call('PEXPIRE', taking[1], taking[4])
    end
  end
  for _, quota in ipairs(quotas) do
    redis.call('HINCRBY', quota[1], 'remaining', -quota[2])
  end
end
local denied, turn = 0, wait
if ARGV[1] ~= '0' and wait > 0 then
  denied = redis.call('INCR', KEYS[cause] .. ':denied')
  if denied == 1 then
    redis.call('PEXPIRE', KEYS[cause] .. ':denied', wait)
  end
end
if denied > 1 and held[cause] then
  local live, used, limit, units, length = unpack(held[cause])
  local before = math.floor((units * denied - 1) / limit)  -- whole windows that those before it fill
  turn = math.max(wait, until_free(live, used, limit, units * denied - before * limit) + before * length)
end
return {now, wait, cause, denied, turn}
