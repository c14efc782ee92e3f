-- Returns all pending rows and their details, as they are at one moment.
return { redis.call('HGETALL', base .. 'pending'), redis.call('HGETALL', base .. 'pending-detail') }
