-- Removes an instance and frees what it holds among the first rows. Returns the id to go on after, or nothing. An id that is not among
-- the instances does nothing.
-- ARGV: id; rows.
if redis.call('ZREM', base .. 'leases', ARGV[1]) == 0 then return '' end
redis.call('HDEL', base .. 'instances', ARGV[1])
-- until all of its rows are free, so that Expire goes on where this ends; what it puts meanwhile makes it an owner again
if redis.call('SMOVE', base .. 'owners', base .. 'releasing', ARGV[1]) == 0 then return '' end
return release('', tonumber(ARGV[2]), { ARGV[1] })
