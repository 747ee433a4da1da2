#!lua
-- Checks and reserves every budget of one call, and claims its identities: all or nothing.
--
-- KEYS  1 counters  hash  fence, generation, 's:'counter (spent), 'r:'counter (reserved)
--       2 open      hash  event -> {held: [[counter, amount as text, ends_at?]], identities} as JSON
--       3 opened    zset  event -> when it was reserved, ms
--       4 ends      zset  counter -> when it may be dropped, ms
--       5 claims    hash  identity -> event, or 'event until' once it is settled (until: ms)
--       6 freeing   zset  identity -> until, ms
-- ARGV  1 event
--       2 the record for `open`
--       3 how many identities; then each
--       then for each line: counter ('' for a cap on this one call), amount, cap, when it may be dropped (ms, '' for never)
-- Reply {1, generation, spent, reserved, spent, reserved, …}  reserved; the states before, one pair a line
--       {1, generation}                                      this event had reserved already; nothing changed
--       {2, event}                                           another event holds an identity
--       {3, line (from 0), spent, reserved}                  this line's cap would be passed; nothing changed
--       {4}                                                  the fence is closed; nothing changed
--
-- The fence is airtight because the server itself is asked who it is, inside the same atomic step: run_id changes with
-- every restart, master_replid with every fail-over, and FLUSHALL or an eviction takes the fence along with the counters,
-- which live in one key.

local counters, open, opened, ends, claims, freeing = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local event = ARGV[1]

local info = redis.call('INFO', 'server', 'replication')
local function field(name)
  local _, last = string.find(info, '\n' .. name .. ':', 1, true)
  return string.sub(info, last + 1, last + 40)
end
local fence = redis.call('HMGET', counters, 'fence', 'generation')
if fence[1] ~= field('run_id') .. field('master_replid') then
  return { 4 }
end

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

-- Identities first: a twin joins the first event, whatever is left in its budgets.
local first_line = 4 + tonumber(ARGV[3])
for i = 4, first_line - 1 do
  local claim = redis.call('HGET', claims, ARGV[i])
  if claim then
    local holder, till = string.match(claim, '^(%S+) ?(%d*)$')
    if holder ~= event and (till == '' or tonumber(till) > now) then
      return { 2, holder }
    end
  end
end

-- A gateway that did not hear the answer may ask again: what this event holds already is not reserved twice.
if redis.call('HEXISTS', open, event) == 1 then
  return { 1, fence[2] }
end

local states = { 1, fence[2] }
for i = first_line, #ARGV, 4 do
  local state = { false, false }
  if ARGV[i] ~= '' then
    state = redis.call('HMGET', counters, 's:' .. ARGV[i], 'r:' .. ARGV[i])
  end
  local spent, reserved = state[1] or '0', state[2] or '0'
  local amount = tonumber(ARGV[i + 1])
  if amount > 0 and tonumber(spent) + tonumber(reserved) + amount > tonumber(ARGV[i + 2]) then
    return { 3, (i - first_line) / 4, spent, reserved }
  end
  states[#states + 1] = spent
  states[#states + 1] = reserved
end
-- From here on nothing refuses.
local holds = first_line > 4
local added = {}
for i = first_line, #ARGV, 4 do
  local counter = ARGV[i]
  if counter ~= '' and ARGV[i + 1] ~= '0' and not added[counter] then
    added[counter] = true
    holds = true
    redis.call('HINCRBY', counters, 'r:' .. counter, ARGV[i + 1])
    if ARGV[i + 3] ~= '' then
      redis.call('ZADD', ends, 'NX', ARGV[i + 3], counter)
    end
  end
end
if holds then
  redis.call('HSET', open, event, ARGV[2])
  redis.call('ZADD', opened, string.format('%.0f', now), event)
  for i = 4, first_line - 1 do
    redis.call('HSET', claims, ARGV[i], event)
    redis.call('ZREM', freeing, ARGV[i])
  end
end

-- Housekeeping, a few at a time: claims whose time is over, and counters whose window is long over and holds nothing.
for _, identity in ipairs(redis.call('ZRANGE', freeing, '-inf', now, 'BYSCORE', 'LIMIT', 0, 4)) do
  redis.call('HDEL', claims, identity)
  redis.call('ZREM', freeing, identity)
end
for _, counter in ipairs(redis.call('ZRANGE', ends, '-inf', now, 'BYSCORE', 'LIMIT', 0, 2)) do
  if (redis.call('HGET', counters, 'r:' .. counter) or '0') == '0' then
    redis.call('HDEL', counters, 's:' .. counter, 'r:' .. counter)
    redis.call('ZREM', ends, counter)
  else
    redis.call('ZADD', ends, 'XX', string.format('%.0f', now + 86400000), counter)
  end
end

return states
