-- Sends the requests of a file in turn, and prints what came back as one line of JSON.
-- The file has a line for each request: method, target, and its headers, with tabs between them.

local requests = {}
local sent = 0

function init(arguments)
   for line in io.lines(arguments[1]) do
      local method, target, headers = line:match("([^\t]*)\t([^\t]*)\t(.*)")
      headers = headers:gsub("\t", "\r\n")
      table.insert(requests, method .. " " .. target .. " HTTP/1.1\r\n" .. headers .. "\r\n\r\n")
   end
end

function request()
   sent = sent + 1
   return requests[(sent - 1) % #requests + 1]
end

function done(summary, latency, _)
   local errors = summary.errors
   io.write(string.format(
      '\n{"requests": %d, "microseconds": %d, "refused": %d, "failed": %d, "median": %d}\n',
      summary.requests, summary.duration, errors.status,
      errors.connect + errors.read + errors.write + errors.timeout,
      latency:percentile(50)
   ))
end
