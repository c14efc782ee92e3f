-- Returns a secret, storing the value first if there is none.
-- ARGV: name; value.
redis.call('HSETNX', base .. 'secrets', ARGV[1], ARGV[2])
return redis.call('HGET', base .. 'secrets', ARGV[1])
