-- release frees those of the next n pending rows that one of some owners holds, unless that owner is among the instances. It returns the id
-- to go on after; nothing at the end, when none of them holds a row any more that was there when this began.
local function release(after, n, owners)
  if #owners == 0 then return '' end
  local gone = {}
  for _, owner in ipairs(owners) do
    if not redis.call('ZSCORE', base .. 'leases', owner) then gone[owner] = true end
  end
  local from = '-'
  if after ~= '' then from = '(' .. after end
  local ids = redis.call('ZRANGEBYLEX', base .. 'pending-ids', from, '+', 'LIMIT', 0, n)
  local rows = fetch('pending', ids)
  local set, names = {}, {}
  for i = 1, #ids do
    local row = rows[i]
    if row and row:sub(1, 2) ~= '0:' then
      local owner, name, _, at = head(row)
      if owner and gone[owner] then
        set[#set + 1] = ids[i]
        set[#set + 1] = frame('') .. frame(name) .. frame('') .. row:sub(at)
        add(names, name, ids[i])
      end
    end
  end
  bulk('HSET', 'pending', set)
  for name, list in pairs(names) do
    zadd('free:' .. name, list)
    redis.call('SADD', base .. 'names', name)
  end
  if #set > 0 then wake() end
  if #ids == n then return ids[n] end
  bulk('SREM', 'releasing', owners)
  return ''
end
