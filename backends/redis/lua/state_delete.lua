-- Removes a value that instances share.
-- ARGV: name.
return redis.call('HDEL', base .. 'state', ARGV[1])
