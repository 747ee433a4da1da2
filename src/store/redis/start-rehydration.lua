#!lua
-- Closes the fence for whoever is the first to ask, so that one gateway rehydrates while the others wait.
--
-- KEYS  1 counters  (as in reserve.lua), 2 lease  string  who rehydrates
-- ARGV  1 who asks
--       2 a generation: a fence that is open above it needs no rehydration
--       3 how long the lease lasts, ms
-- Reply 1 open above that generation
--       2 another gateway has the lease
--       3 the lease is yours, and the fence is closed
--
-- The lease only saves work. What keeps two gateways apart is the generation: the later one wins (open-fence.lua), and
-- the journal refuses what was admitted under the earlier.

local info = redis.call('INFO', 'server', 'replication')
local function field(name)
  local _, last = string.find(info, '\n' .. name .. ':', 1, true)
  return string.sub(info, last + 1, last + 40)
end
local fence = redis.call('HMGET', KEYS[1], 'fence', 'generation')
if fence[1] == field('run_id') .. field('master_replid') and tonumber(fence[2]) > tonumber(ARGV[2]) then
  return 1
end

local holder = redis.call('GET', KEYS[2])
if holder and holder ~= ARGV[1] then
  return 2
end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[3])
redis.call('HDEL', KEYS[1], 'fence')
return 3
