#!lua flags=no-writes
-- Reservations that were made a while ago, oldest first, at most 1,000.
--
-- KEYS  1 open, 2 opened  (as in reserve.lua)
-- ARGV  1 age, ms
-- Reply {event, record, event, record, …}

local time = redis.call('TIME')
local latest = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) - tonumber(ARGV[1])
local reply = {}
for _, event in ipairs(redis.call('ZRANGE', KEYS[2], '-inf', string.format('%.0f', latest), 'BYSCORE', 'LIMIT', 0, 1000)) do
  local record = redis.call('HGET', KEYS[1], event)
  if record then
    reply[#reply + 1] = event
    reply[#reply + 1] = record
  end
end
return reply
