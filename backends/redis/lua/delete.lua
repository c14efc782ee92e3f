-- Deletes finished records: those named, and at most so many of those below an id. Returns how many ids it found there, and how many records
-- it deleted in all.
-- ARGV: the end, in the form of ZRANGEBYLEX; how many; ids.
local ids = redis.call('ZRANGEBYLEX', base .. 'index:all', '-', ARGV[1], 'LIMIT', 0, ARGV[2])
local found, deleted = #ids, 0
for i = 3, #ARGV do ids[#ids + 1] = ARGV[i] end
local rows = fetch('history', ids)
-- A full server lets a script go on whose first write only removes.
bulk('ZREM', 'index:all', ids)
for i = 1, #ids do
  if rows[i] then deleted = deleted + 1 end
end
unindex(ids, rows)
bulk('HDEL', 'history', ids)
bulk('HDEL', 'detail', ids)
return { found, deleted }
