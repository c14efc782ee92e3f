-- Frees more rows of owners that are gone. Returns the id to go on after, or nothing.
-- ARGV: the id to go on after; rows; owners.
return release(ARGV[1], tonumber(ARGV[2]), { unpack(ARGV, 3) })
