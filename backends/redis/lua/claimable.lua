-- Returns free rows of some names, oldest first: whether there may be more after these, then id, row for each.
-- ARGV: how many; the id to begin after, or nothing; names.
local n = tonumber(ARGV[1])
local from = '-'
if ARGV[2] ~= '' then from = '(' .. ARGV[2] end
local ids, floor = {}, nil
for i = 3, #ARGV do
  local list = redis.call('ZRANGEBYLEX', base .. 'free:' .. ARGV[i], from, '+', 'LIMIT', 0, n)
  -- nothing is known of what comes after the end of a list that was cut
  if #list == n and (not floor or list[n] < floor) then floor = list[n] end
  for j = 1, #list do ids[#ids + 1] = list[j] end
end
table.sort(ids)
local chosen = {}
for i = 1, math.min(n, #ids) do
  if floor and ids[i] > floor then break end
  chosen[i] = ids[i]
end
local rows = fetch('pending', chosen)
local reply = { #chosen < #ids and 1 or floor and 1 or 0 }
for i = 1, #chosen do
  reply[#reply + 1] = chosen[i]
  reply[#reply + 1] = rows[i]
end
return reply
