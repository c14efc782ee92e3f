-- Removes the oldest points of a series. Returns how many.
-- ARGV: resolution; the end, in the form of ZRANGEBYLEX; how many at most.
local ids = redis.call('ZRANGEBYLEX', base .. 'series-ids:' .. ARGV[1], '-', ARGV[2], 'LIMIT', 0, ARGV[3])
bulk('ZREM', 'series-ids:' .. ARGV[1], ids)
bulk('HDEL', 'series:' .. ARGV[1], ids)
return #ids
