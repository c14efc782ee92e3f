-- Returns name, value for each value that instances share whose name begins with something.
-- ARGV: what it begins with.
local names = {}
for _, name in ipairs(redis.call('HKEYS', base .. 'state')) do
  if name:sub(1, #ARGV[1]) == ARGV[1] then names[#names + 1] = name end
end
local values, reply = fetch('state', names), {}
for i = 1, #names do
  reply[2 * i - 1] = names[i]
  reply[2 * i] = values[i]
end
return reply
