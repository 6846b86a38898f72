-- Appends a command once.
-- KEYS: commands, dedupe key (left out for requests)
-- ARGV: group, item, how long the dedupe key is kept in s,
--       again (1 = the relay says that Postgres still waits for it: what counts is whether Redis holds it)
-- Returns {operation that the dedupe key stands for, 1 where it was appended now}.
local dedupe, command, kept_seconds, again = KEYS[2], read_item(ARGV[2]), ARGV[3], ARGV[4] == '1'

local first = dedupe and redis.call('GET', dedupe)
if first and not again then
  return {first, 0}
end
if command.operation ~= '-' and redis.call('SADD', open, command.operation) == 0 then
  return {command.operation, 0}
end
if dedupe then
  redis.call('SET', dedupe, command.operation, 'EX', kept_seconds)
end
admit(command)
return {command.operation, 1}
