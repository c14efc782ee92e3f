-- Removes an instance and frees what it holds: at most so many rows; returns whether there may be more. An id that is not among the
-- instances does nothing, unless this goes on with one that the step before has removed.
-- ARGV: id; rows; whether it goes on.
if redis.call('ZREM', base .. 'leases', ARGV[1]) == 0 and ARGV[3] == '0' then return 0 end
redis.call('HDEL', base .. 'instances', ARGV[1])
local most = tonumber(ARGV[2])
local n, freed = release(ARGV[1], most)
if freed then wake() end
return n == most and 1 or 0
