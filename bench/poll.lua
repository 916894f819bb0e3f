-- Asks for the paths of a file (a line each) in turn, over and over, and ends with one line of JSON.
-- wrk ... -s poll.lua URL -- FILE
-- The answers are not looked at here, which would cost the load's core more than the server's: that they are the right
-- ones is seen by their number of bytes and by an answer read before and after.

local requests, at = {}, 0

function init(args)
  for path in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("GET", path)
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    'RESULT {"requests": %d, "bytes": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, "faults": %d}\n',
    summary.requests, summary.bytes, summary.duration / 1e6, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, e.connect + e.read + e.write + e.timeout + e.status))
end
