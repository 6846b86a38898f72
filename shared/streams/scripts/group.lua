-- Makes the consumer group, from the first entry on, where Redis has lost it or never had it.
-- KEYS: commands     ARGV: group
for _, known in ipairs(redis.call('XINFO', 'GROUPS', commands)) do
  if known[2] == group then
    return
  end
end
redis.call('XGROUP', 'CREATE', commands, group, '0')
