-- Returns all instances and the ends of their leases, as they are at one moment.
return { redis.call('HGETALL', base .. 'instances'), redis.call('ZRANGE', base .. 'leases', 0, -1, 'WITHSCORES') }
