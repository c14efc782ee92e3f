-- Adds an entry to the audit trail and keeps its newest.
-- ARGV: id; entry; how many to keep; how many more there may be before the oldest are deleted.
redis.call('HSET', base .. 'audit', ARGV[1], ARGV[2])
redis.call('ZADD', base .. 'audit-ids', 0, ARGV[1])
local keep = tonumber(ARGV[3])
local n = redis.call('ZCARD', base .. 'audit-ids')
if n > keep + ARGV[4] then
  local old = redis.call('ZRANGE', base .. 'audit-ids', 0, n - keep - 1)
  bulk('HDEL', 'audit', old)
  bulk('ZREM', 'audit-ids', old)
end
return 0
