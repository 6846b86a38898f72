-- Makes a token the current one of its scope no longer, unless a newer one took its place already.
-- KEYS: where the scope's token is     ARGV: SHA-256 of the token, with which what is kept begins
local kept = redis.call('GET', KEYS[1])
if kept and string.sub(kept, 1, #ARGV[1]) == ARGV[1] then
    return redis.call('DEL', KEYS[1])
end
return 0
