-- How much a service has before it.
-- KEYS: commands, dead letters     ARGV: group, most entries, and lanes, to look at one by one
-- Returns {entries not delivered yet, waiting in lanes, behind their order key, pending, delayed, delayed and due,
--          dead letters, age of the oldest in ms}.
local dead_letters, most = KEYS[2], tonumber(ARGV[2])

local pending, oldest = 0, nil
local function older(candidate)
  if candidate and (not oldest or tonumber(candidate) < oldest) then
    oldest = tonumber(candidate)
  end
end
local function moment(entry)
  return entry and string.match(entry, '^(%d+)-')
end

local last = '0-0'
for _, raw in ipairs(redis.call('XINFO', 'GROUPS', commands)) do
  if raw[2] == group then
    local summary = redis.call('XPENDING', commands, group)
    pending = summary[1]
    older(moment(summary[2]))
    last = raw[8]
  end
end
local unread = redis.call('XRANGE', commands, '(' .. last, '+', 'COUNT', 1)[1]
older(moment(unread and unread[1]))
for _, tenant in ipairs(redis.call('ZRANGE', tenants, 0, -1)) do
  for _, run in ipairs(redis.call('ZRANGE', runs_of(tenant), 0, most)) do
    older(string.match(redis.call('LINDEX', lane_of(tenant, run), 0) or '', '^(%d+) '))
  end
end
return {
  unread and undelivered(most) or 0, tonumber(redis.call('GET', waiting) or 0),
  tonumber(redis.call('GET', held) or 0), pending, redis.call('ZCARD', delayed),
  redis.call('ZCOUNT', delayed, '-inf', whole(now)), redis.call('XLEN', dead_letters),
  oldest and math.max(now - oldest, 0) or 0,
}
