-- Removes an instance and frees what it holds: at most so many rows; returns whether there may be more.
-- ARGV: id; rows.
redis.call('ZREM', base .. 'leases', ARGV[1])
redis.call('HDEL', base .. 'instances', ARGV[1])
local most = tonumber(ARGV[2])
local n, freed = release(ARGV[1], most)
if freed then wake() end
return n == most and 1 or 0
