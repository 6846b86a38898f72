-- Answers a request.
-- KEYS: the list that the asking process reads     ARGV: answer, how long it is kept in s
redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
