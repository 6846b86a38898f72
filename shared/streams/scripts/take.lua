-- Gives a consumer its next commands, in fair order, and keeps one on the stream for who waits there.
-- KEYS: commands     ARGV: group, consumer, most
-- Returns {{entry id, {'command', envelope}}, …}.
local consumer, most = ARGV[2], tonumber(ARGV[3])

pump(most)
local taken = redis.call('XREADGROUP', 'GROUP', group, consumer, 'COUNT', most, 'STREAMS', commands, '>')
pump(1)
return taken and taken[1][2] or {}
