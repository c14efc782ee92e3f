-- Returns how many ids between two are in each index.
-- ARGV: lowest and highest id, in the form of ZRANGEBYLEX; indexes.
local reply = {}
for i = 3, #ARGV do reply[i - 2] = redis.call('ZLEXCOUNT', base .. ARGV[i], ARGV[1], ARGV[2]) end
return reply
