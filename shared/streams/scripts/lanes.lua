-- Where commands wait before their service's stream. Put in front of the scripts that append, take, finish, bring back.
--
-- The stream is kept nearly empty while anything waits: a command is moved onto it when a consumer asks for one. Until
-- then it waits in a lane, a list for each run of each tenant (an installation). Next is the tenant that got least so
-- far, and of its runs the one that got least (start-time fair queueing: each carries a tag that grows with what it is
-- given; who comes new starts at the tag that was served last, so that nobody saves up turns by staying away).
--
-- Commands of one order key follow each other: while one is open, those behind it wait in a list of their own.
--
-- A command comes as an item: its label, a line feed, its envelope. The label is what is known here without reading
-- JSON: "operation tenant run step due order-key", '-' for none. An urgent command belongs to the tenant '!', whose
-- step is small. due: ms of the server's clock before which it must not start, or 0.
--
-- KEYS[1] is the stream, ARGV[1] its consumer group, in every script that builds on this.
local commands, group = KEYS[1], ARGV[1]
local stem = string.match(commands, '^(.*):commands$')
local tenants, tags, waiting, order, held = stem .. ':tenants', stem .. ':tags', stem .. ':waiting', stem .. ':order',
  stem .. ':held'
local delayed, open = stem .. ':delayed', stem .. ':open'

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function whole(number)
  return string.format('%.0f', number)
end

local function read_item(item)
  local cut = string.find(item, '\n', 1, true)
  local operation, tenant, run, step, due, key = string.match(
    string.sub(item, 1, cut - 1), '^(%S+) (%S+) (%S+) (%S+) (%S+) (.+)$')
  return {
    operation = operation, tenant = tenant, run = run, step = step, due = tonumber(due), key = key, item = item,
    envelope = string.sub(item, cut + 1),
  }
end

local function runs_of(tenant)
  return stem .. ':runs:' .. tenant
end

local function lane_of(tenant, run)
  return stem .. ':lane:' .. tenant .. '/' .. run
end

-- The stream is gone with what was on it: only what is delayed is still held, and the relay brings back the rest.
local function start_over()
  for _, tenant in ipairs(redis.call('ZRANGE', tenants, 0, -1)) do
    for _, run in ipairs(redis.call('ZRANGE', runs_of(tenant), 0, -1)) do
      redis.call('DEL', lane_of(tenant, run))
    end
    redis.call('DEL', runs_of(tenant))
  end
  for _, key in ipairs(redis.call('HKEYS', order)) do
    redis.call('DEL', order .. ':' .. key)
  end
  redis.call('DEL', tenants, tags, waiting, order, held, open)
  for _, item in ipairs(redis.call('ZRANGE', delayed, 0, -1)) do
    local command = read_item(item)
    if command.operation ~= '-' then
      redis.call('SADD', open, command.operation)
    end
    if command.key ~= '-' then
      redis.call('HSET', order, command.key, command.operation)
    end
  end
end

if redis.call('EXISTS', commands) == 0 then
  start_over()
  redis.call('XGROUP', 'CREATE', commands, group, '0', 'MKSTREAM')
end

-- how many entries of the stream no consumer has got yet, as far as `most`
local function undelivered(most)
  for _, raw in ipairs(redis.call('XINFO', 'GROUPS', commands)) do
    local info = {}
    for index = 1, #raw, 2 do
      info[raw[index]] = raw[index + 1]
    end
    if info['name'] == group then
      if type(info['lag']) == 'number' then
        return info['lag']
      end
      return #redis.call('XRANGE', commands, '(' .. info['last-delivered-id'], '+', 'COUNT', most)
    end
  end
  return redis.call('XLEN', commands)
end

-- so many are left in the lanes; where none is, nobody's turns are kept
local function leave_waiting(left)
  if left > 0 then
    redis.call('SET', waiting, whole(left))
    return
  end
  for _, tenant in ipairs(redis.call('ZRANGE', tenants, 0, -1)) do
    redis.call('DEL', runs_of(tenant))
  end
  redis.call('DEL', tenants, tags, waiting)
end

-- moves what is next in turn onto the stream, until `wanted` entries are there for consumers to read
local function pump(wanted)
  local left = tonumber(redis.call('GET', waiting) or 0)
  if left == 0 then
    return
  end
  local missing, moved = wanted - undelivered(wanted), 0
  while moved < missing and moved < left do
    local tenant, tenant_tag = unpack(redis.call('ZRANGE', tenants, 0, 0, 'WITHSCORES'))
    if not tenant then
      left = moved
      break
    end
    local run, run_tag = unpack(redis.call('ZRANGE', runs_of(tenant), 0, 0, 'WITHSCORES'))
    if not run then
      redis.call('ZREM', tenants, tenant)
      redis.call('HDEL', tags, tenant)
    else
      -- who is alone gets all turns at once
      local is_alone = redis.call('ZCARD', tenants) == 1 and redis.call('ZCARD', runs_of(tenant)) == 1
      local turns = redis.call('LPOP', lane_of(tenant, run), is_alone and math.min(missing, left) - moved or 1)
      if not turns then
        -- kept until its turn came again: who leaves and returns at once gains nothing
        redis.call('ZREM', runs_of(tenant), run)
      else
        local steps, last = 0, 0
        for _, turn in ipairs(turns) do
          local step, envelope = string.match(turn, '^%S+ (%S+)\n(.*)$')
          redis.call('XADD', commands, '*', 'command', envelope)
          steps, last = steps + step, tonumber(step)
        end
        redis.call('ZINCRBY', runs_of(tenant), #turns, run)
        redis.call('ZINCRBY', tenants, steps, tenant)
        redis.call('HSET', tags, tenant, run_tag + #turns - 1, '', tenant_tag + steps - last)
        moved = moved + #turns
      end
    end
  end
  leave_waiting(left - moved)
end

-- lets a command in: onto the stream where nothing waits, else to the end of its lane, or in front
local function enqueue(command, in_front)
  if not redis.call('GET', waiting) and undelivered(1) == 0 then
    redis.call('XADD', commands, '*', 'command', command.envelope)
    return
  end
  local tag = tonumber(redis.call('HGET', tags, '') or 0)
  if command.tenant == '!' then
    tag = tag - 1
  end
  redis.call('ZADD', tenants, 'NX', tag, command.tenant)
  redis.call('ZADD', runs_of(command.tenant), 'NX', redis.call('HGET', tags, command.tenant) or 0, command.run)
  redis.call(
    in_front and 'LPUSH' or 'RPUSH', lane_of(command.tenant, command.run),
    whole(now) .. ' ' .. command.step .. '\n' .. command.envelope)
  redis.call('INCR', waiting)
  pump(1)
end

local function start(command)
  if command.due > now then
    redis.call('ZADD', delayed, whole(command.due), command.item)
  else
    enqueue(command)
  end
end

-- lets a command in, unless another of its order key is open
local function admit(command)
  if command.key ~= '-' then
    local holder = redis.call('HGET', order, command.key)
    if holder and holder ~= command.operation then
      redis.call('RPUSH', order .. ':' .. command.key, command.item)
      redis.call('INCR', held)
      return
    end
    redis.call('HSET', order, command.key, command.operation)
  end
  start(command)
end

-- a command is finished: it is open no more, and the next of its order key is let in
local function close(operation, key)
  if operation ~= '-' then
    redis.call('SREM', open, operation)
  end
  if key == '-' or redis.call('HGET', order, key) ~= operation then
    return
  end
  local following = redis.call('LPOP', order .. ':' .. key)
  if not following then
    redis.call('HDEL', order, key)
    return
  end
  redis.call('DECR', held)
  local command = read_item(following)
  redis.call('HSET', order, key, command.operation)
  start(command)
end
