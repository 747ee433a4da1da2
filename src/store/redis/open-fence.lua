#!lua
-- Puts a staged rehydration in the place of everything that was there, and opens the fence: one atomic step.
--
-- KEYS  1 counters, 2 open, 3 opened, 4 ends, 5 claims, 6 freeing  (as in reserve.lua)
--       7 … 11 the staged counters, open, opened, ends, claims
--       12 lease
-- ARGV  1 generation
--       2 … 6 how many entries each staged key must have
-- Reply 1 open
--       2 a later generation was here first; nothing changed but the staged keys, which are gone
--       3 the staged keys are not whole (the server lost some of them); they are gone, begin again
--
-- Each staged entry was written once, so that the count tells whether any was lost: between the staging and this step the
-- server may have been flushed, restarted or failed over.

local generation = tonumber(ARGV[1])
local function drop_staged()
  for i = 7, 11 do
    redis.call('UNLINK', KEYS[i])
  end
end

if tonumber(redis.call('HGET', KEYS[1], 'generation') or '0') >= generation then
  drop_staged()
  return 2
end

local count = { 'HLEN', 'HLEN', 'ZCARD', 'ZCARD', 'HLEN' }
for i = 1, 5 do
  if redis.call(count[i], KEYS[6 + i]) ~= tonumber(ARGV[1 + i]) then
    drop_staged()
    return 3
  end
end

redis.call('UNLINK', KEYS[6])
for i = 1, 5 do
  redis.call('UNLINK', KEYS[i])
  if redis.call('EXISTS', KEYS[6 + i]) == 1 then
    redis.call('RENAME', KEYS[6 + i], KEYS[i])
    redis.call('PERSIST', KEYS[i])
  end
end

local info = redis.call('INFO', 'server', 'replication')
local function field(name)
  local _, last = string.find(info, '\n' .. name .. ':', 1, true)
  return string.sub(info, last + 1, last + 40)
end
redis.call('HSET', KEYS[1], 'fence', field('run_id') .. field('master_replid'), 'generation', ARGV[1])
redis.call('UNLINK', KEYS[12])
return 1
