-- Stores unfinished records, all or none: returns the ordinal of one that another holds or that is finished, and 0 once they are stored.
-- ARGV: n; n times id, row; the number of lists, and for each: its key, what a row of it begins with, ordinals; then id, detail
-- for each that has one.
local n = tonumber(ARGV[1])
local ids, at = {}, 2 * n + 2
for i = 1, n do ids[i] = ARGV[2 * i] end
local rows = fetch('pending', ids)
local finished = fetch('history', ids)
for i = 1, n do
  if finished[i] then return i end
end

local new, moved, was, links = {}, {}, {}, {}
for _ = 1, ARGV[at] do
  local key, begin, members = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  at = at + 3
  for _, i in ipairs(ordinals(members, n)) do
    local id, row = ids[i], rows[i]
    if not row then
      new[#new + 1] = id
      add(links, key, id)
    elseif row:sub(1, #begin) ~= begin then
      local owner = head(row)
      if owner and owner ~= '' then return i end
      moved[#moved + 1] = id
      was[#was + 1] = row
      add(links, key, id)
    end
  end
end

-- The first write is one that a full server refuses: then nothing has been done.
for i = 2, 2 * n + 1, 1000 do
  redis.call('HSET', base .. 'pending', unpack(ARGV, i, math.min(i + 999, 2 * n + 1)))
end
if #new < n then bulk('HDEL', 'pending-detail', ids) end
for i = at + 1, #ARGV, 2 do
  redis.call('HSET', base .. 'pending-detail', ARGV[i], ARGV[i + 1])
end
zadd('pending-ids', new)
unlink(moved, was)
local freed = false
for key, list in pairs(links) do
  local kind, of = key:sub(1, 5), key:sub(6)
  if kind == 'held:' then
    bulk('SADD', key, list)
    redis.call('SADD', base .. 'owners', of)
  else
    zadd(key, list)
    redis.call('SADD', base .. 'names', of)
    freed = true
  end
end
if freed then wake() end
return 0
