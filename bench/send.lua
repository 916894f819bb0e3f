-- Sends texts to one new recipient after another, looks at every answer and ends with one line of JSON.
-- wrk -t 1 ... -s send.lua URL -- FILE METHOD PATH FIELDS SUCCESS FIRST_RECIPIENT
-- FILE: the fields of a text a line, encoded. METHOD: POST, with a form, or GET. PATH: of the call. FIELDS: encoded, what
-- stands before the recipient, its name and = included. SUCCESS: a pattern of the body of an answer that accepts.

local texts, recipient, at = {}, 0, 0
local method, path, fields, success
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
  method, path, fields, success, recipient = args[2], args[3], args[4], args[5], tonumber(args[6])
end

function request()
  at = at % #texts + 1
  recipient = recipient + 1
  local form = string.format("%s%.0f&%s", fields, recipient, texts[at])
  if method == "GET" then
    return wrk.format("GET", path .. "?" .. form)
  end
  return wrk.format(method, path, headers, form)
end

function response(status, _, body)
  if status < 300 and body:find(success) then
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
