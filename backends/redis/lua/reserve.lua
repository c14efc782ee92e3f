-- Gives an idempotency key to a task unless another has it, and returns who has it.
-- ARGV: key; task; owner; milliseconds.

-- succeeded reports whether a finished record says so; one that cannot be read is taken for a success, which runs nothing twice.
local function succeeded(row)
  local ok, r = pcall(cjson.decode, row:match('^[^\n]*'))
  return not ok or type(r) ~= 'table' or r.status == 'success' or type(r.status) ~= 'string'
end

-- holds reports whether a task that was given a key still has it: it is unfinished, or has succeeded. One that is in neither store is in
-- the memory of the instance that added it, if that lives.
local function holds(task, owner)
  if redis.call('HEXISTS', base .. 'pending', task) == 1 then return true end
  local row = redis.call('HGET', base .. 'history', task)
  if row then return succeeded(row) end
  return redis.call('ZSCORE', base .. 'leases', owner)
end

local key = base .. 'key:' .. ARGV[1]
local value = redis.call('GET', key)
if value then
  local task, at = unframe(value, 1)
  local owner
  if task then owner = unframe(value, at) end
  if owner and task ~= ARGV[2] and holds(task, owner) then return task end
end
redis.call('SET', key, frame(ARGV[2]) .. frame(ARGV[3]), 'PX', ARGV[4])
return ARGV[2]
