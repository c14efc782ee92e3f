-- Removes all pending rows.
for _, name in ipairs(redis.call('SMEMBERS', base .. 'names')) do redis.call('UNLINK', base .. 'free:' .. name) end
for _, key in ipairs({ 'pending', 'pending-detail', 'pending-ids', 'owners', 'releasing', 'names' }) do redis.call('UNLINK', base .. key) end
return 0
