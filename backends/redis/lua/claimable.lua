-- Returns free rows of some names, oldest first: whether there may be more after these, then id, row, detail for each.
-- ARGV: how many; the id to begin after, or nothing; names.
local n = tonumber(ARGV[1])
local from = '-'
if ARGV[2] ~= '' then from = '(' .. ARGV[2] end
local ids, cut = {}, false
for i = 3, #ARGV do
  local list = redis.call('ZRANGEBYLEX', base .. 'free:' .. ARGV[i], from, '+', 'LIMIT', 0, n)
  cut = cut or #list == n
  for j = 1, #list do ids[#ids + 1] = list[j] end
end
-- by the server's locale; all sort digits, letters to f and hyphens in the same places alike
table.sort(ids)
-- the n first of all are among the n first of each
local chosen = {}
for i = 1, math.min(n, #ids) do chosen[i] = ids[i] end
local rows, details = fetch('pending', chosen), fetchSome('pending-detail', chosen)
local reply = { (cut or #ids > n) and 1 or 0 }
for i = 1, #chosen do
  reply[3 * i - 1] = chosen[i]
  reply[3 * i] = rows[i]
  reply[3 * i + 1] = details[i] or false
end
return reply
