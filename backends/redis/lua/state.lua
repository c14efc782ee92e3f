-- Returns a value that instances share, in a list; an empty one if there is none.
-- ARGV: name.
local value = redis.call('HGET', base .. 'state', ARGV[1])
if not value then return {} end
return { value }
