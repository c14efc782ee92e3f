-- Makes an owner the holder of those of the rows that nobody holds, and returns id, row, detail for each that it now has. The mark tells
-- this call from others: called again with it after its answer was lost, the script returns the same rows.
-- ARGV: owner; mark; ids.
local owner, mark = ARGV[1], ARGV[2]
local ids = {}
for i = 3, #ARGV do ids[i - 2] = ARGV[i] end
local rows = fetch('pending', ids)
local got, set, free, reply = {}, {}, {}, {}
for i = 1, #ids do
  if rows[i] then
    local o, name, m, at = head(rows[i])
    if o == '' or o == owner and m == mark then
      local row = frame(owner) .. frame(name) .. frame(mark) .. rows[i]:sub(at)
      got[#got + 1] = ids[i]
      set[#set + 1] = ids[i]
      set[#set + 1] = row
      add(free, 'free:' .. name, ids[i])
    end
  end
end
if #got == 0 then return reply end
-- A full server lets a script go on whose first write only removes: claiming makes nothing larger.
for key, list in pairs(free) do bulk('ZREM', key, list) end
bulk('HSET', 'pending', set)
redis.call('SADD', base .. 'owners', owner)
local details = fetchSome('pending-detail', got)
for i = 1, #got do
  reply[3 * i - 2] = got[i]
  reply[3 * i - 1] = set[2 * i]
  reply[3 * i] = details[i] or false
end
return reply
