-- release frees at most so many of the rows that an owner holds, and returns how many it looked at.
local function release(owner, most)
  local ids = redis.call('SPOP', base .. 'held:' .. owner, most)
  local rows = fetch('pending', ids)
  local set, names = {}, {}
  for i = 1, #ids do
    if rows[i] then
      local o, name, _, at = head(rows[i])
      if o == owner then
        set[#set + 1] = ids[i]
        set[#set + 1] = frame('') .. frame(name) .. frame('') .. rows[i]:sub(at)
        add(names, name, ids[i])
      end
    end
  end
  bulk('HSET', 'pending', set)
  for name, list in pairs(names) do
    zadd('free:' .. name, list)
    redis.call('SADD', base .. 'names', name)
  end
  if #ids < most then redis.call('SREM', base .. 'owners', owner) end
  return #ids, #set > 0
end
