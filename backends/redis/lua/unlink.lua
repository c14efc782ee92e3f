-- unlink takes pending rows off the lists of free rows and of what owners hold.
local function unlink(ids, rows)
  local free, held = {}, {}
  for i = 1, #ids do
    local owner, name = head(rows[i])
    if owner == '' then
      add(free, 'free:' .. name, ids[i])
    elseif owner then
      add(held, 'held:' .. owner, ids[i])
    end
  end
  for key, list in pairs(free) do bulk('ZREM', key, list) end
  for key, list in pairs(held) do bulk('SREM', key, list) end
end
