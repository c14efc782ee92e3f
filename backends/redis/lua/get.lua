-- Returns one row and its detail.
-- ARGV: hash of the rows; hash of the details; id.
return { redis.call('HGET', base .. ARGV[1], ARGV[3]), redis.call('HGET', base .. ARGV[2], ARGV[3]) }
