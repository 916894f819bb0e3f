-- Sends texts from a file (a percent-encoded text a line) to one new recipient after another, looks at every answer and
-- ends with one line of JSON.
-- wrk -t 1 ... -s send.lua URL -- FILE PATH CREDENTIALS FIRST_RECIPIENT
-- PATH: of the call. CREDENTIALS: form fields, encoded.

local texts, recipient, at = {}, 0, 0
local path, credentials
local headers = { ["Content-Type"] = "application/x-www-form-urlencoded" }
local thread

accepted, refused = 0, ""

function setup(the_thread)
  thread = the_thread
end

function init(args)
  for text in io.lines(args[1]) do
    texts[#texts + 1] = text
  end
  path, credentials, recipient = args[2], args[3], tonumber(args[4])
end

function request()
  at = at % #texts + 1
  recipient = recipient + 1
  local body = string.format("%s&recipient=%.0f&text=%s", credentials, recipient, texts[at])
  return wrk.format("POST", path, headers, body)
end

function response(status, _, body)
  if status == 200 and body:find('"messageStatus": ?10[,}]') then
    accepted = accepted + 1
  elseif refused == "" then
    refused = status .. " " .. body:sub(1, 200):gsub("[^%w ]", ".")
  end
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    'RESULT {"requests": %d, "bytes": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, "faults": %d, '
      .. '"accepted": %d, "refused": "%s"}\n',
    summary.requests, summary.bytes, summary.duration / 1e6, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, e.connect + e.read + e.write + e.timeout + e.status,
    thread:get("accepted"), thread:get("refused")))
end
