-- Stores finished records, all or none: returns the ordinals of those that another holds, and stores nothing if there are any.
-- ARGV: n; n times id, row; the number of owners, and for each: frame of the owner, ordinals; the number of details, and for each:
-- id, detail; the number of indexes, and for each: key, ordinals; the number of totals, and for each: field, delta.
local n = tonumber(ARGV[1])
local ids, at = {}, 2 * n + 2
for i = 1, n do ids[i] = ARGV[2 * i] end
local rows = fetchSome('pending', ids)
local old = missing('history', ids, rows)

local refused = {}
for _ = 1, ARGV[at] do
  local own, members = ARGV[at + 1], ARGV[at + 2]
  at = at + 2
  for _, i in ipairs(ordinals(members, n)) do
    local row = rows[i]
    if row then
      if row:sub(1, #own) ~= own and holder(row) ~= '' then refused[#refused + 1] = i end
    elseif old[i] then
      local ok, r = pcall(cjson.decode, old[i]:match('^[^\n]*'))
      if ok and type(r) == 'table' and type(r.owner) == 'string' and frame(r.owner) ~= own then refused[#refused + 1] = i end
    end
  end
end
if #refused > 0 then return refused end

-- The first write is one that a full server refuses: then nothing has been done.
for i = 2, 2 * n + 1, 1000 do
  redis.call('HSET', base .. 'history', unpack(ARGV, i, math.min(i + 999, 2 * n + 1)))
end

local replaced, before, ended, was = {}, {}, {}, {}
for i = 1, n do
  if rows[i] then
    ended[#ended + 1] = ids[i]
    was[#was + 1] = rows[i]
  elseif old[i] then
    replaced[#replaced + 1] = ids[i]
    before[#before + 1] = old[i]
  end
end
if #replaced > 0 then
  unindex(replaced, before)
  bulk('HDEL', 'detail', replaced)
end
if #ended > 0 then
  bulk('HDEL', 'pending', ended)
  bulk('HDEL', 'pending-detail', ended)
  bulk('ZREM', 'pending-ids', ended)
  unlink(ended, was)
end

at = at + 1
for _ = 1, ARGV[at] do
  redis.call('HSET', base .. 'detail', ARGV[at + 1], ARGV[at + 2])
  at = at + 2
end
zadd('index:all', ids)
at = at + 1
for _ = 1, ARGV[at] do
  local key, members = ARGV[at + 1], ARGV[at + 2]
  at = at + 2
  if members == '' then
    zadd(key, ids)
  else
    local list = ordinals(members, n)
    for j = 1, #list do list[j] = ids[list[j]] end
    zadd(key, list)
  end
end
at = at + 1
for _ = 1, ARGV[at] do
  redis.pcall('HINCRBY', base .. 'totals', ARGV[at + 1], ARGV[at + 2])
  at = at + 2
end
return refused
