-- Posts a message, and forgets those that are older than so many milliseconds.
-- ARGV: message; milliseconds.
local oldest = math.max(math.floor(now() / 1000) - ARGV[2], 0)
redis.call('XADD', base .. 'messages', 'MINID', '~', string.format('%.0f', oldest), '*', 'body', ARGV[1])
wake()
return 0
