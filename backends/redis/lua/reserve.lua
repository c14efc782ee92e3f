-- Gives an idempotency key to a task unless another has it, and returns who has it.
-- ARGV: key; task; owner; milliseconds.
local key = base .. 'key:' .. ARGV[1]
local value = redis.call('GET', key)
if value then
  local task, at = unframe(value, 1)
  local owner
  if task then owner = unframe(value, at) end
  if owner and (redis.call('HEXISTS', base .. 'pending', task) == 1
    or redis.call('HEXISTS', base .. 'history', task) == 1 or redis.call('ZSCORE', base .. 'leases', owner)) then
    return task
  end
end
redis.call('SET', key, frame(ARGV[2]) .. frame(ARGV[3]), 'PX', ARGV[4])
return ARGV[2]
