-- What the other scripts share: it is put in front of each. KEYS[1] is what every key begins with, hash tag included; the names of
-- the keys are made here, because which indexes a record is in is known only once its stored form has been read.
local base = KEYS[1]

-- bulk calls a command with a list of arguments, in pieces: Lua's stack has room for 8000 values.
local function bulk(command, key, list)
  for i = 1, #list, 1000 do
    redis.call(command, base .. key, unpack(list, i, math.min(i + 999, #list)))
  end
end

-- fetch returns the fields of a hash, false for each that is missing.
local function fetch(key, fields)
  if #fields <= 1000 then
    if #fields == 0 then return {} end
    return redis.call('HMGET', base .. key, unpack(fields))
  end
  local all = {}
  for i = 1, #fields, 1000 do
    local part = redis.call('HMGET', base .. key, unpack(fields, i, math.min(i + 999, #fields)))
    for j = 1, #part do all[i + j - 1] = part[j] end
  end
  return all
end

-- fetchSome is fetch for a hash that is mostly not there: without details, nothing is looked up.
local function fetchSome(key, fields)
  if redis.call('EXISTS', base .. key) == 0 then return {} end
  return fetch(key, fields)
end

-- zadd adds ids to an index: all have the same score, so that they are in the order of their bytes.
local function zadd(key, ids)
  local list = {}
  for i = 1, #ids do
    list[2 * i - 1] = '0'
    list[2 * i] = ids[i]
  end
  bulk('ZADD', key, list)
end

-- add appends to a list of a table of lists.
local function add(lists, key, value)
  local list = lists[key]
  if list then list[#list + 1] = value else lists[key] = { value } end
end

-- ordinals unpacks numbers of three bytes each; nothing stands for all from 1 to n.
local function ordinals(packed, n)
  local list = {}
  if packed == '' then
    for i = 1, n do list[i] = i end
  end
  for i = 1, #packed, 3 do
    local high, middle, low = packed:byte(i, i + 2)
    list[#list + 1] = 65536 * high + 256 * middle + low
  end
  return list
end

-- Counters that would overflow stay as they are.
local function count(field, delta)
  if delta ~= 0 then redis.pcall('HINCRBY', base .. 'totals', field, string.format('%.0f', delta)) end
end

-- A text with its length in front: "5:hello".
local function frame(text) return #text .. ':' .. text end

-- unframe returns the text that begins at a position, and where it ends; nothing if there is none.
local function unframe(row, from)
  local length, first = row:match('^(%d+):()', from)
  if not length or first + length - 1 > #row then return nil end
  return row:sub(first, first + length - 1), first + length
end

-- head takes a pending row apart: its owner, name and mark, and where the record begins. Nothing if the row is damaged.
local function head(row)
  local owner, name, mark
  local at = 1
  owner, at = unframe(row, at)
  if owner then name, at = unframe(row, at) end
  if name then mark, at = unframe(row, at) end
  if not mark then return nil end
  return owner, name, mark, at
end

local function now()
  local t = redis.call('TIME')
  return t[1] * 1000000 + t[2]
end

-- wake tells those who listen. Who may not publish is found by polling, and must still be able to write.
local function wake() redis.pcall('PUBLISH', base .. 'wake', '') end
