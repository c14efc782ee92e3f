-- Returns id, entry for each entry before an id, newest first.
-- ARGV: the end, in the form of ZRANGEBYLEX; how many.
local ids = redis.call('ZREVRANGEBYLEX', base .. 'audit-ids', ARGV[1], '-', 'LIMIT', 0, ARGV[2])
local entries, reply = fetch('audit', ids), {}
for i = 1, #ids do
  reply[2 * i - 1] = ids[i]
  reply[2 * i] = entries[i]
end
return reply
