-- The load of one row, for wrk: each request is drawn from a file of requests whose right answers are known.
-- wrk -s load.lua URL -- FILE SEED METHOD PATH HEADER MODE THREADS
-- FILE: lines of "status TAB expected TAB payload". HEADER: "" sends the payload as a JSON body, "form" as a form, otherwise under that name.
-- MODE "count" only sends, and counts the requests whose expected response is an error (wrk counts errors itself, at no extra cost).
-- MODE "check" checks each response. wrk does not report to which request a response belongs, so each thread must have exactly one
-- connection: the response then belongs to the last request. This costs time, so it is not used in a measured run.
local threads, status, expected, requests = {}, {}, {}, {}
local at, total = 0, 0
refused, answers, wrong, first = 0, 0, 0, ""

function setup(thread)
  thread:set("number", #threads)
  table.insert(threads, thread)
end

local function batch(wanted, body)
  local place = 0
  for valid in body:gmatch('"valid":(%a+)') do
    place = place + 1
    if (wanted[place] == "valid") ~= (valid == "true") then return false end
  end
  return place == #wanted
end

local function right(i, code, body)
  if code ~= status[i] then return false end
  local wanted = expected[i]
  if type(wanted) == "table" then return batch(wanted, body) end
  return wanted == "" or body:find(wanted, 1, true) ~= nil
end

function init(args)
  local file, seed, method, path, header, mode = args[1], tonumber(args[2]), args[3], args[4], args[5], args[6]
  local threads_in_all = tonumber(args[7])
  local place = 0
  for line in io.lines(file) do
    -- Each thread keeps only its share. Otherwise all requests would be in memory once per thread.
    if place % threads_in_all == number then
      local code, wanted, payload = line:match("^(%d+)\t([^\t]*)\t(.*)$")
      local headers, body = {}, nil
      if header == "" then
        headers["Content-Type"], body = "application/json", payload
      elseif header == "form" then
        headers["Content-Type"], body = "application/x-www-form-urlencoded", payload
      else
        headers[header] = payload
      end
      if wrk.headers["Host"] then headers["Host"] = wrk.headers["Host"] end
      table.insert(requests, wrk.format(method, path, headers, body))
      table.insert(status, tonumber(code))
      if mode == "check" and wanted:sub(1, 1) == "=" then
        local list = {}
        for word in wanted:sub(2):gmatch("[^,]+") do table.insert(list, word) end
        wanted = list
      end
      table.insert(expected, wanted)
    end
    place = place + 1
  end
  total = #requests
  math.randomseed(seed + number)
  if mode == "check" then
    response = function(code, _, body)
      answers = answers + 1
      if not right(at, code, body) then
        wrong = wrong + 1
        if first == "" then first = code .. " instead of " .. status[at] .. ": " .. body:sub(1, 200) end
      end
    end
  end
end

function request()
  at = math.random(total)
  if status[at] > 399 then refused = refused + 1 end
  return requests[at]
end

local function sum(name)
  local all = 0
  for _, thread in ipairs(threads) do all = all + (thread:get(name) or 0) end
  return all
end

local function text(name)
  for _, thread in ipairs(threads) do
    local said = thread:get(name)
    if said and said ~= "" then return (said:gsub('[%c"\\]', " ")) end
  end
  return ""
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"micros":%d,"p50":%d,"p99":%d,"refused":%d,"status":%d,"socket":%d,"timeout":%d,"answers":%d,"wrong":%d,"first":"%s"}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), sum("refused"), errors.status,
    errors.connect + errors.read + errors.write, errors.timeout, sum("answers"), sum("wrong"), text("first")))
end
