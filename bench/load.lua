-- One load for wrk: POSTs whose body is a template; each `@@` in it becomes a number that no other request of the run has.
-- Arguments: the template's file, the content type, the bearer token ('' for none), a name for the run.

local threads = 0
function setup(thread)
  thread:set('thread_number', threads)
  threads = threads + 1
end

local template, names, sent, fixed = nil, nil, 0, nil
function init(args)
  local file = assert(io.open(args[1]))
  template = file:read('*a')
  file:close()
  wrk.method = 'POST'
  wrk.headers['content-type'] = args[2]
  if args[3] ~= '' then wrk.headers['authorization'] = 'Bearer ' .. args[3] end
  names = args[4] .. '-' .. thread_number .. '-'
  if not string.find(template, '@@', 1, true) then fixed = wrk.format(nil, nil, nil, template) end
end

function request()
  if fixed then return fixed end
  sent = sent + 1
  return wrk.format(nil, nil, nil, (string.gsub(template, '@@', names .. sent)))
end

-- The figures as one line of JSON, for wrk.ts to read.
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'figures {"requests": %d, "seconds": %.6f, "p50_ms": %.4f, "p99_ms": %.4f, "failed": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
