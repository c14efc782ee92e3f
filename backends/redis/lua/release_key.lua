-- Frees idempotency keys that their tasks have.
-- ARGV: key, task for each.
for i = 1, #ARGV, 2 do
  local key = base .. 'key:' .. ARGV[i]
  local value = redis.call('GET', key)
  if value and unframe(value, 1) == ARGV[i + 1] then redis.call('DEL', key) end
end
return 0
