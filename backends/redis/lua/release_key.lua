-- Frees an idempotency key that a task has.
-- ARGV: key; task.
local key = base .. 'key:' .. ARGV[1]
local value = redis.call('GET', key)
if value and unframe(value, 1) == ARGV[2] then redis.call('DEL', key) end
return 0
