-- Appends a command once.
-- KEYS: commands, open, dedupe key (left out for requests)
-- ARGV: envelope, operation id ('' = none), how long the dedupe key is kept in s,
--       again (1 = the relay says that Postgres still waits for it: what counts is whether Redis holds it)
-- Returns {entry id, 1 where it was appended now}.
local commands, open, dedupe = KEYS[1], KEYS[2], KEYS[3]
local envelope, operation, kept_seconds, again = ARGV[1], ARGV[2], ARGV[3], ARGV[4] == '1'

local first = dedupe and redis.call('GET', dedupe)
if first and not again then
  return {first, 0}
end
if operation ~= '' and redis.call('SISMEMBER', open, operation) == 1 then
  return {first or '', 0}
end
local entry = redis.call('XADD', commands, '*', 'command', envelope)
if operation ~= '' then
  redis.call('SADD', open, operation)
end
if dedupe then
  redis.call('SET', dedupe, entry, 'EX', kept_seconds)
end
return {entry, 1}
