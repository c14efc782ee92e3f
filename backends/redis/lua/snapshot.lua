-- Stores unfinished records without an owner, except those that another holds or that are finished, and removes what an earlier snapshot left.
-- Returns the ordinals of those that were not stored.
-- ARGV: the snapshot's mark; the number of owners that are ours, and these; the number of earlier ids, and these; n; n times id, name,
-- row; then id, detail for each that has one.
local mark, at = ARGV[1], 2
local ours = {}
for _ = 1, ARGV[2] do
  at = at + 1
  ours[ARGV[at]] = true
end

local earlier = {}
at = at + 1
for _ = 1, ARGV[at] do
  at = at + 1
  earlier[#earlier + 1] = ARGV[at]
end

at = at + 1
local n, first = tonumber(ARGV[at]), at + 1
at = at + 3 * n
local ids = {}
for i = 1, n do ids[i] = ARGV[first + 3 * (i - 1)] end
local rows = fetchSome('pending', ids)
local finished = missing('history', ids, rows)

local left, set, new, moved, was, links, stored = {}, {}, {}, {}, {}, {}, {}
for i = 1, n do
  local id, name, row = ids[i], ARGV[first + 3 * (i - 1) + 1], rows[i]
  local owner = row and holder(row) or ''
  if finished[i] or owner ~= '' and not ours[owner] then
    left[#left + 1] = i
  else
    set[#set + 1] = id
    set[#set + 1] = ARGV[first + 3 * (i - 1) + 2]
    stored[id] = true
    add(links, name, id)
    if row then
      moved[#moved + 1] = id
      was[#was + 1] = row
    else
      new[#new + 1] = id
    end
  end
end

bulk('HSET', 'pending', set)
bulk('HDEL', 'pending-detail', moved)
for i = at + 1, #ARGV, 2 do
  if stored[ARGV[i]] then redis.call('HSET', base .. 'pending-detail', ARGV[i], ARGV[i + 1]) end
end
zadd('pending-ids', new)
unlink(moved, was)
for name, list in pairs(links) do
  zadd('free:' .. name, list)
  redis.call('SADD', base .. 'names', name)
end

local drop, dropped = {}, {}
local before = fetch('pending', earlier)
for i = 1, #earlier do
  if before[i] then
    local owner, _, m = head(before[i])
    if owner == '' and m == mark then
      drop[#drop + 1] = earlier[i]
      dropped[#dropped + 1] = before[i]
    end
  end
end
bulk('HDEL', 'pending', drop)
bulk('HDEL', 'pending-detail', drop)
bulk('ZREM', 'pending-ids', drop)
unlink(drop, dropped)
if #set > 0 then wake() end
return left
