-- Stores a value that instances share.
-- ARGV: name; value.
redis.call('HSET', base .. 'state', ARGV[1], ARGV[2])
return 1
