-- Takes what was not delivered yet out of a service, some of it a call; or counts it only.
-- KEYS: commands
-- ARGV: group, consumer that reads for nobody, remove (1) or count (0), type or '', run or '', how many to look at,
--       phase, cursor ('' at first), then for the phase 'lane': tenant, run
-- Phases, to be gone through in this order, so that what moves on meanwhile is met later: held (behind an order key),
-- delayed, lanes (only names them), lane, stream.
-- Returns {next cursor, '' at the end, {operation or request, type, 1 for a request, …}}; for `lanes` {'', {tenant, run,
-- …}}. What is in memory of the dedupe keys stays: a command that was purged is not forgotten.
local consumer, remove, wanted_type, wanted_run = ARGV[2], ARGV[3] == '1', ARGV[4], ARGV[5]
local most, phase, cursor = tonumber(ARGV[6]), ARGV[7], ARGV[8]
local found = {}

-- the command in an envelope, if it is wanted; what cannot be read is left for a worker to make a dead letter of
local function wanted(envelope)
  local ok, command = pcall(cjson.decode, envelope)
  if not ok or type(command) ~= 'table' or type(command.id) ~= 'string' or type(command.type) ~= 'string' then
    return nil
  end
  if (wanted_type ~= '' and command.type ~= wanted_type) or (wanted_run ~= '' and command.run_id ~= wanted_run) then
    return nil
  end
  local is_request = command.reply_to ~= nil
  found[#found + 1] = command.id
  found[#found + 1] = command.type
  found[#found + 1] = is_request and 1 or 0
  return {operation = is_request and '-' or command.id, key = command.order_key or '-'}
end

local function close_all(taken)
  for _, command in ipairs(taken) do
    close(command.operation, command.key)
  end
end

local function held_behind(key)
  local list, kept = order .. ':' .. key, {}
  local items = redis.call('LRANGE', list, 0, -1)
  for _, item in ipairs(items) do
    local command = wanted(read_item(item).envelope)
    if not command then
      kept[#kept + 1] = item
    elseif remove then
      redis.call('SREM', open, command.operation)
      redis.call('DECR', held)
    end
  end
  if remove and #kept < #items then
    redis.call('DEL', list)
    for _, item in ipairs(kept) do
      redis.call('RPUSH', list, item)
    end
  end
end

local function of_held()
  local page = redis.call('HSCAN', order, cursor == '' and '0' or cursor, 'COUNT', most)
  for index = 1, #page[2], 2 do
    held_behind(page[2][index])
  end
  return page[1] == '0' and '' or page[1]
end

local function of_delayed()
  local page, taken = redis.call('ZSCAN', delayed, cursor == '' and '0' or cursor, 'COUNT', most), {}
  for index = 1, #page[2], 2 do
    local item = page[2][index]
    local command = wanted(read_item(item).envelope)
    if command and remove then
      redis.call('ZREM', delayed, item)
      taken[#taken + 1] = command
    end
  end
  close_all(taken)
  return page[1] == '0' and '' or page[1]
end

local function name_lanes()
  for _, tenant in ipairs(redis.call('ZRANGE', tenants, 0, -1)) do
    for _, run in ipairs(redis.call('ZRANGE', runs_of(tenant), 0, -1)) do
      found[#found + 1] = tenant
      found[#found + 1] = run
    end
  end
  return ''
end

-- from the end, so that what consumers take from the front moves nothing that was not looked at
local function of_lane()
  local lane, behind, taken = lane_of(ARGV[9], ARGV[10]), tonumber(cursor == '' and '0' or cursor), {}
  local items = redis.call('LRANGE', lane, -(behind + most), -(behind + 1))
  for index, item in ipairs(items) do
    local command = wanted(string.match(item, '^%S+ %S+\n(.*)$'))
    if command and remove then
      redis.call('LSET', lane, -(behind + 1 + #items - index), 'purged')
      taken[#taken + 1] = command
    end
  end
  if #taken > 0 then
    redis.call('LREM', lane, 0, 'purged')
    leave_waiting(tonumber(redis.call('GET', waiting) or 0) - #taken)
    close_all(taken)
  end
  return #items < most and '' or whole(behind + #items - #taken)
end

local function last_delivered()
  for _, raw in ipairs(redis.call('XINFO', 'GROUPS', commands)) do
    if raw[2] == group then
      return raw[8]
    end
  end
end

-- What is on the stream is read and acknowledged: deleting it before the group has come to it would leave its lag
-- unknown, or wrong for good. What is not wanted goes to the end again, in its order.
local function of_stream()
  if not remove then
    local from = '(' .. (cursor == '' and last_delivered() or cursor)
    local entries = redis.call('XRANGE', commands, from, '+', 'COUNT', most)
    for _, entry in ipairs(entries) do
      wanted(entry[2][2])
    end
    return #entries < most and '' or entries[#entries][1]
  end
  -- only as many as there are now: the rest is put there by this script, or came since
  local left, taken, again = cursor == '' and undelivered(100000) or tonumber(cursor), {}, {}
  local answer = redis.call('XREADGROUP', 'GROUP', group, consumer, 'COUNT', most, 'STREAMS', commands, '>')
  local entries = answer and answer[1][2] or {}
  for _, entry in ipairs(entries) do
    local command = wanted(entry[2][2])
    if command then
      taken[#taken + 1] = command
    else
      again[#again + 1] = entry[2][2]
    end
    redis.call('XACK', commands, group, entry[1])
  end
  redis.call('XGROUP', 'DELCONSUMER', commands, group, consumer)
  for _, envelope in ipairs(again) do
    redis.call('XADD', commands, '*', 'command', envelope)
  end
  close_all(taken)
  return (#entries < most or left <= #entries) and '' or whole(left - #entries)
end

local steps = {held = of_held, delayed = of_delayed, lanes = name_lanes, lane = of_lane, stream = of_stream}
local following = steps[phase]()
if remove then
  pump(1)
end
return {following, found}
