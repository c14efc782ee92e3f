-- Takes a slot if it is later than all before. The token tells this call from others: called again with it after its answer was
-- lost, the script says yes again.
-- ARGV: schedule; slot, as digits that compare like the moments; token.
local old = redis.call('HGET', base .. 'slots', ARGV[1])
if old then
  local at, token = old:match('^(%d+) (.*)$')
  if at == ARGV[2] and token == ARGV[3] then return 1 end
  if at and ARGV[2] <= at then return 0 end
end
redis.call('HSET', base .. 'slots', ARGV[1], ARGV[2] .. ' ' .. ARGV[3])
return 1
