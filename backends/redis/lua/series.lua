-- Returns name, data for points of a series, in the order of their names.
-- ARGV: resolution; first and last, in the form of ZRANGEBYLEX; how many.
local ids = redis.call('ZRANGEBYLEX', base .. 'series-ids:' .. ARGV[1], ARGV[2], ARGV[3], 'LIMIT', 0, ARGV[4])
local points, reply = fetch('series:' .. ARGV[1], ids), {}
for i = 1, #ids do
  reply[2 * i - 1] = ids[i]
  reply[2 * i] = points[i]
end
return reply
