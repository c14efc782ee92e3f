-- Returns the messages after a position, oldest first: the new position, then the messages. No position is the present.
-- ARGV: position; how many.
if ARGV[1] == '' then
  local info = redis.pcall('XINFO', 'STREAM', base .. 'messages')
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then return { info[i + 1] } end
  end
  return { '0-0' }
end
local reply = { ARGV[1] }
for _, entry in ipairs(redis.call('XRANGE', base .. 'messages', '(' .. ARGV[1], '+', 'COUNT', ARGV[2])) do
  reply[1] = entry[1]
  reply[#reply + 1] = entry[2][2]
end
return reply
