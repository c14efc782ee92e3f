-- Removes the instances whose lease is over, and frees what nobody holds any more: at most so many rows. Returns whether there may be more
-- of these, and the ids of the instances.
-- ARGV: rows.
local dead = redis.call('ZRANGEBYSCORE', base .. 'leases', '-inf', string.format('%.0f', now()))
if #dead > 0 then
  bulk('ZREM', 'leases', dead)
  bulk('HDEL', 'instances', dead)
end
local room, freed = tonumber(ARGV[1]), false
for _, owner in ipairs(redis.call('SMEMBERS', base .. 'owners')) do
  if room > 0 and not redis.call('ZSCORE', base .. 'leases', owner) then
    local n, some = release(owner, room)
    room = room - n
    freed = freed or some
  end
end
if freed then wake() end
return { room > 0 and 0 or 1, unpack(dead) }
