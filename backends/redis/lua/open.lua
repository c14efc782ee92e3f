-- Checks that what is under the prefix is ours and of this version, and that it can be written to. Returns what is wrong: "foreign" or "newer",
-- and the details; "none" when nothing is there and nothing may be begun; or "ok".
-- ARGV: the version, and "1" when only what is there may be opened.
local kinds = { version = 'string', history = 'hash', pending = 'hash', totals = 'hash', instances = 'hash', ['index:all'] = 'zset', leases = 'zset', messages = 'stream', state = 'hash' }
for key, kind in pairs(kinds) do
  local is = redis.call('TYPE', base .. key).ok
  if is ~= 'none' and is ~= kind then return { 'foreign', base .. key .. ' is a ' .. is } end
end
local value = redis.call('GET', base .. 'version')
if value then
  local version = tonumber(value:match('^taskflow (%d+)$'))
  if not version then return { 'foreign', base .. 'version is ' .. value:sub(1, 100) } end
  if version > tonumber(ARGV[1]) then return { 'newer', 'version ' .. version } end
end
if not value and ARGV[2] == '1' then return { 'none', '' } end
-- A write, so that a replica, or a user who may only read, is found now. It also lets the next one through on a full server.
redis.call('DEL', base .. 'probe')
if not value then redis.call('SET', base .. 'version', 'taskflow ' .. ARGV[1]) end
return { 'ok', '' }
