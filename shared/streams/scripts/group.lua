-- Makes the consumer group, from the first entry on, where Redis has lost it or never had it.
-- KEYS: commands, open     ARGV: group
-- Returns 1 where it was made now.
local commands, open, group = KEYS[1], KEYS[2], ARGV[1]

if redis.call('EXISTS', commands) == 0 then
  -- what was open was on the stream that is gone: the relay shall not think that Redis holds it
  redis.call('DEL', open)
else
  for _, known in ipairs(redis.call('XINFO', 'GROUPS', commands)) do
    if known[2] == group then
      return 0
    end
  end
end
redis.call('XGROUP', 'CREATE', commands, group, '0', 'MKSTREAM')
return 1
