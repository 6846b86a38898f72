-- Appends commands of one service, each once.
-- KEYS: commands, then for each command its dedupe key, or the stream's name again for a request, which has none
-- ARGV: group, how long dedupe keys are kept in s,
--       again (1 = the relay says that Postgres still waits for them: what counts is whether Redis holds them),
--       then for each command its item
-- Returns for each {operation that the dedupe key stands for, 1 where it was appended now}.
local kept_seconds, again = ARGV[2], ARGV[3] == '1'

local function append(dedupe, item)
  local command = read_item(item)
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
end

local answers = {}
for index = 2, #KEYS do
  answers[#answers + 1] = append(KEYS[index] ~= commands and KEYS[index], ARGV[index + 2])
end
return answers
