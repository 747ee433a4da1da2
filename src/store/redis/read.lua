#!lua flags=no-writes
-- The states of some counters.
--
-- KEYS  1 counters  (as in reserve.lua)
-- ARGV  each a counter
-- Reply {1, spent, reserved, spent, reserved, …}  one pair a counter
--       {4}                                       the fence is closed

local info = redis.call('INFO', 'server', 'replication')
local function field(name)
  local _, last = string.find(info, '\n' .. name .. ':', 1, true)
  return string.sub(info, last + 1, last + 40)
end
if redis.call('HGET', KEYS[1], 'fence') ~= field('run_id') .. field('master_replid') then
  return { 4 }
end

local states = { 1 }
for _, counter in ipairs(ARGV) do
  local state = redis.call('HMGET', KEYS[1], 's:' .. counter, 'r:' .. counter)
  states[#states + 1] = state[1] or '0'
  states[#states + 1] = state[2] or '0'
end
return states
