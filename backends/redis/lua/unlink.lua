-- unlink takes those of the pending rows that nobody holds off the lists of free rows.
local function unlink(ids, rows)
  local free = {}
  for i = 1, #ids do
    if rows[i]:sub(1, 2) == '0:' then
      local _, name = head(rows[i])
      if name then add(free, 'free:' .. name, ids[i]) end
    end
  end
  for key, list in pairs(free) do bulk('ZREM', key, list) end
end

-- holder returns who holds a pending row; a damaged one is nobody's.
local function holder(row)
  if row:sub(1, 2) == '0:' then return '' end
  return (head(row)) or ''
end

-- missing returns the fields of a hash for those ids that have no row: a task is never in the history and pending at once.
local function missing(key, ids, rows)
  local some, at = {}, {}
  for i = 1, #ids do
    if not rows[i] then
      some[#some + 1] = ids[i]
      at[#at + 1] = i
    end
  end
  local found, all = fetch(key, some), {}
  for j = 1, #some do all[at[j]] = found[j] end
  return all
end
