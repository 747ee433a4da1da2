#!lua flags=allow-oom
-- Moves one event's reservation to what was really spent. Once: a second time finds no reservation.
--
-- KEYS  1 counters, 2 open, 3 opened, 4 ends, 5 claims, 6 freeing  (as in reserve.lua)
-- ARGV  1 event
--       2 for how long its identities stay claimed, ms; 0 frees them
--       then for each counter: counter, amount spent, when it may be dropped (ms, '' for never)
-- Reply 1 moved
--       0 this event has no reservation; nothing changed
--
-- The fence is not asked: behind a closed fence everything here will be replaced by the ledger's fold.
-- Memory may be full (allow-oom): giving back must always work.

local counters, open, opened, ends, claims, freeing = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local event = ARGV[1]

local record = redis.call('HGET', open, event)
if not record then
  return 0
end
record = cjson.decode(record)

for _, held in ipairs(record.held) do
  redis.call('HINCRBY', counters, 'r:' .. held[1], '-' .. held[2])
end
for i = 3, #ARGV, 3 do
  redis.call('HINCRBY', counters, 's:' .. ARGV[i], ARGV[i + 1])
  if ARGV[i + 2] ~= '' then
    redis.call('ZADD', ends, 'NX', ARGV[i + 2], ARGV[i])
  end
end

local keep = tonumber(ARGV[2])
local time = redis.call('TIME')
local till = string.format('%.0f', tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + keep)
for _, identity in ipairs(record.identities) do
  if redis.call('HGET', claims, identity) == event then
    if keep > 0 then
      redis.call('HSET', claims, identity, event .. ' ' .. till)
      redis.call('ZADD', freeing, till, identity)
    else
      redis.call('HDEL', claims, identity)
    end
  end
end

redis.call('HDEL', open, event)
redis.call('ZREM', opened, event)
return 1
