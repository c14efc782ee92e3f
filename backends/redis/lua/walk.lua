-- Reads records by descending id out of one or more indexes.
-- Returns the last id that was looked at, whether there may be more after it, then id, row, detail for each record.
-- ARGV: hash of the rows; hash of the details, or nothing; lowest and highest id, in the form of ZRANGEBYLEX; how many ids to look at; how many
-- records to return; the number of indexes, and these; then for each condition: whether letter case is ignored, the number of texts, and
-- these: the row, or the id, must contain one of them.
local store, detail, low, high = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local n, need, keys = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local at = 7 + keys

local ids, more = {}, false
if keys == 1 then
  ids = redis.call('ZREVRANGEBYLEX', base .. ARGV[8], high, low, 'LIMIT', 0, n)
  more = #ids == n
else
  local all = {}
  for i = 8, at do
    local list = redis.call('ZREVRANGEBYLEX', base .. ARGV[i], high, low, 'LIMIT', 0, n)
    more = more or #list == n
    for j = 1, #list do all[#all + 1] = list[j] end
  end
  -- by the server's locale; all sort digits, letters to f and hyphens in the same places alike
  table.sort(all)
  -- the n last of all are among the n last of each
  for i = #all, 1, -1 do
    if #ids == n then
      more = true
      break
    end
    if all[i] ~= ids[#ids] then ids[#ids + 1] = all[i] end
  end
end

local conditions = {}
while at < #ARGV do
  local c = { fold = ARGV[at + 1] == '1' }
  for i = 1, ARGV[at + 2] do c[i] = ARGV[at + 2 + i] end
  at = at + 2 + #c
  conditions[#conditions + 1] = c
end
local function holds(id, row)
  for _, c in ipairs(conditions) do
    local text, found = c.fold and row:lower() or row, false
    for i = 1, #c do
      if text:find(c[i], 1, true) or c.fold and id:find(c[i], 1, true) then
        found = true
        break
      end
    end
    if not found then return false end
  end
  return true
end

local rows = fetch(store, ids)
local found, reply, last = {}, { '', 0 }, ''
for i = 1, #ids do
  if #found == need then
    more = true
    break
  end
  last = ids[i]
  if rows[i] and holds(ids[i], rows[i]) then
    found[#found + 1] = ids[i]
    reply[3 * #found] = ids[i]
    reply[3 * #found + 1] = rows[i]
    reply[3 * #found + 2] = false
  end
end
reply[1], reply[2] = last, more and 1 or 0
if detail ~= '' then
  local details = fetchSome(detail, found)
  for i = 1, #found do reply[3 * i + 2] = details[i] or false end
end
return reply
