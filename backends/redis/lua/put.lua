-- Stores unfinished records, all or none: returns the ordinal of one that another holds or that is finished, and 0 once they are stored.
-- ARGV: n; n times id, row; the number of groups, and for each: the owner, the name if there is no owner, what a row of it begins with,
-- ordinals; the number of those with an idempotency key, and for each its ordinal and key; then id, detail for each that has one.
local n = tonumber(ARGV[1])
local ids, at = {}, 2 * n + 2
for i = 1, n do ids[i] = ARGV[2 * i] end
local rows = fetchSome('pending', ids)
local finished = missing('history', ids, rows)

local new, moved, was, owners, free = {}, {}, {}, {}, {}
for _ = 1, ARGV[at] do
  local owner, name, begin, members = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
  at = at + 4
  if owner ~= '' then owners[#owners + 1] = owner end
  for _, i in ipairs(ordinals(members, n)) do
    local id, row = ids[i], rows[i]
    if finished[i] then return i end
    if not row then
      new[#new + 1] = id
      if owner == '' then add(free, name, id) end
    elseif row:sub(1, #begin) ~= begin then
      if holder(row) ~= '' then return i end
      moved[#moved + 1] = id
      was[#was + 1] = row
      if owner == '' then add(free, name, id) end
    end
  end
end

-- A key that another task has been given: who put this one has lost its lease since it reserved the key.
for _ = 1, ARGV[at + 1] do
  local i = tonumber(ARGV[at + 2])
  at = at + 2
  if not rows[i] then
    local value = redis.call('GET', base .. 'key:' .. ARGV[at + 1])
    if value and unframe(value, 1) ~= ids[i] then return i end
  end
end
at = at + 1

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
bulk('SADD', 'owners', owners)
if next(free) then
  for name, list in pairs(free) do
    zadd('free:' .. name, list)
    redis.call('SADD', base .. 'names', name)
  end
  wake()
end
return 0
