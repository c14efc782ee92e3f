-- Removes the instances whose lease is over, and frees what nobody holds any more among the first rows. Returns the id to go on after, or
-- nothing; the number of instances, and their ids; the owners whose rows are freed.
-- ARGV: rows.
local dead = redis.call('ZRANGEBYSCORE', base .. 'leases', '-inf', string.format('%.0f', now()))
bulk('ZREM', 'leases', dead)
bulk('HDEL', 'instances', dead)
local owners = redis.call('SMEMBERS', base .. 'owners')
for _, owner in ipairs(owners) do
  if not redis.call('ZSCORE', base .. 'leases', owner) then
    redis.call('SMOVE', base .. 'owners', base .. 'releasing', owner)
  end
end
-- those of a call that did not come to its end are among them; one that has come back since keeps what it has
local gone = {}
for _, owner in ipairs(redis.call('SMEMBERS', base .. 'releasing')) do
  if redis.call('ZSCORE', base .. 'leases', owner) then
    redis.call('SMOVE', base .. 'releasing', base .. 'owners', owner)
  else
    gone[#gone + 1] = owner
  end
end
local reply = { release('', tonumber(ARGV[1]), gone), #dead }
for _, id in ipairs(dead) do reply[#reply + 1] = id end
for _, owner in ipairs(gone) do reply[#reply + 1] = owner end
return reply
