-- Stores points of series. A point's name is its start, as twelve digits, and its instance, with a colon between them.
-- ARGV: for each its resolution; its name; its data.
for i = 1, #ARGV, 3 do
  redis.call('HSET', base .. 'series:' .. ARGV[i], ARGV[i + 1], ARGV[i + 2])
  redis.call('ZADD', base .. 'series-ids:' .. ARGV[i], 0, ARGV[i + 1])
end
return 1
