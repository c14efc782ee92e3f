-- Stores an instance and lets its lease end so many microseconds from now. Returns 0 if it must be there already and is not.
-- ARGV: id; instance; microseconds; whether it must be there.
if ARGV[4] == '1' and not redis.call('ZSCORE', base .. 'leases', ARGV[1]) then return 0 end
local t = now()
-- A full server lets a script go on whose first write only removes: without this, all leases would end there.
redis.call('HDEL', base .. 'instances', ARGV[1])
redis.call('HSET', base .. 'instances', ARGV[1], string.format('%.0f:', t) .. ARGV[2])
redis.call('ZADD', base .. 'leases', string.format('%.0f', t + ARGV[3]), ARGV[1])
return 1
