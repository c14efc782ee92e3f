-- Returns the totals of the history.
return redis.call('HGETALL', base .. 'totals')
