"""What the server runs in one atomic step each, in Lua.

1. A script decides nothing that a policy decides: it records what was decided elsewhere if nothing has
   come to pass since, and tells the news if something has.
2. Every script may run twice for one call, because an answer can be lost: the second run changes nothing.
3. Times are whole microseconds on the server's clock. Every key that a script writes has a time to live.

The keys, all behind the prefix of the space (KEYS[1]):

    meta             hash: the epoch's name, its birth, when it opens, and the running id
    processes        sorted set: a process's name, by when it counts as gone
    awaited          set: processes that were known in the last epoch and have not come back yet
    sends:BUCKET     sorted set: TIME:PROCESS:NUMBER, by running id
    failures         the same
    flights          sorted set: PROCESS:NUMBER, by time
    pause, pause:BUCKET   until when nobody sends
    lease:NAME       hash: token, until, and who asked
    claims:JOB       hash: what each part holds, and their total

An epoch begins when the server has lost what it knew. A process that remembers another epoch (or a larger
id) tells all that it knows first; for a short while, until the others had time to, nobody sends.
"""

from __future__ import annotations

__all__ = ["BEAT", "CLAIM", "ENDED", "LEASE", "LEAVE", "MEET", "PAUSE", "RELEASE", "RENEW", "TAKE"]

_SECOND = 1_000_000

_HEAD = """
local p = KEYS[1]
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local function text(number) return string.format('%.0f', number) end
local function keep(key, microseconds)
    redis.call('PEXPIRE', p .. key, text(math.ceil(microseconds / 1000)))
end
local DAY = 86400 * 1000000
"""

_PROCESS = """
local name, epoch, seen = ARGV[1], ARGV[2], tonumber(ARGV[3])
local GONE, FLIGHT, SOON = 30 * 1000000, 600 * 1000000, 1000000
local function known()
    local meta = redis.call('HMGET', p .. 'meta', 'epoch', 'ids')
    return meta[1] == epoch and tonumber(meta[2] or '0') >= seen
        and redis.call('ZSCORE', p .. 'processes', name)
end
local function alive(how)
    if how then redis.call('ZADD', p .. 'processes', how, text(now + GONE), name)
    else redis.call('ZADD', p .. 'processes', text(now + GONE), name) end
    keep('processes', FLIGHT + 2 * GONE)
    keep('meta', DAY)
end
local function bury()
    local dead = redis.call('ZRANGEBYSCORE', p .. 'processes', '-inf', text(now))
    if #dead > 0 then
        local gone = {}
        for _, process in ipairs(dead) do
            gone[process] = true
            redis.call('ZREM', p .. 'processes', process)
        end
        for _, flight in ipairs(redis.call('ZRANGE', p .. 'flights', 0, -1)) do
            if gone[string.match(flight, '^(.*):')] then redis.call('ZREM', p .. 'flights', flight) end
        end
    end
    redis.call('ZREMRANGEBYSCORE', p .. 'flights', '-inf', text(now - FLIGHT))
    redis.call('ZREMRANGEBYSCORE', p .. 'flights', text(now + SOON), '+inf')
end
local function opens()
    local at = tonumber(redis.call('HGET', p .. 'meta', 'opens') or '0')
    if redis.call('EXISTS', p .. 'awaited') == 1 then at = math.max(at, now + 200000) end
    return at
end
local function note(key, member, microseconds)
    local id = redis.call('ZSCORE', p .. key, member)
    if not id then
        id = redis.call('HINCRBY', p .. 'meta', 'ids', 1)
        redis.call('ZADD', p .. key, text(id), member)
    end
    keep(key, microseconds)
    keep('meta', DAY)
    return tonumber(id)
end
local function trim(key, microseconds)
    for _, old in ipairs(redis.call('ZRANGE', p .. key, 0, 31)) do
        local at = tonumber(string.match(old, '^%d+'))
        if at >= now - microseconds and at <= now + SOON then break end
        redis.call('ZREM', p .. key, old)
    end
end
"""

MEET = (
    _HEAD
    + _PROCESS
    + """
-- name, epoch ('' at first), seen, a name for a new epoch, whether the clock was set, grace, patience,
-- number of peers, peers, then fives: kind, where, what, number, how long it is kept
local stepped, grace, patience = ARGV[5] == '1', tonumber(ARGV[6]), tonumber(ARGV[7])
local meta = redis.call('HMGET', p .. 'meta', 'epoch', 'ids', 'birth', 'opens')
local current, birth, opening = meta[1], tonumber(meta[3] or '0'), tonumber(meta[4] or '0')
local forgot = current == epoch and (tonumber(meta[2] or '0') < seen or stepped)
if not current or forgot then
    current, birth, opening = ARGV[4], now, 0
    redis.call('HSET', p .. 'meta', 'epoch', current, 'birth', text(birth), 'opens', '0')
    -- Larger than those of every earlier epoch: what is left of one is heard of before what comes.
    redis.call('HSET', p .. 'meta', 'ids', text(math.max(now, tonumber(meta[2] or '0'), seen)))
end
bury()
alive()
local peers = tonumber(ARGV[8])
if epoch ~= '' and epoch ~= current then
    if opening < birth + grace then redis.call('HSET', p .. 'meta', 'opens', text(birth + grace)) end
    local left = birth + patience - now
    for i = 9, 8 + peers do
        if left > 0 and not redis.call('ZSCORE', p .. 'processes', ARGV[i]) then
            redis.call('SADD', p .. 'awaited', ARGV[i])
            keep('awaited', left)
        end
    end
end
redis.call('SREM', p .. 'awaited', name)
for i = 9 + peers, #ARGV, 5 do
    local kind, where, what, number, kept = unpack(ARGV, i, i + 4)
    if kind == 'send' then note('sends:' .. where, what, tonumber(kept))
    elseif kind == 'failure' then note('failures', what, tonumber(kept))
    elseif kind == 'over' then redis.call('ZREM', p .. 'flights', what)
    elseif kind == 'flight' then
        redis.call('ZADD', p .. 'flights', 'NX', number, what)
        keep('flights', FLIGHT)
    elseif kind == 'pause' then
        local at = tonumber(redis.call('GET', p .. where) or '0')
        if tonumber(number) > math.max(at, now) then
            redis.call('SET', p .. where, number, 'PX', text(math.ceil((number - now) / 1000)))
        end
    elseif kind == 'claim' then
        local held = tonumber(redis.call('HGET', p .. 'claims:' .. where, 'part:' .. what) or '0')
        if tonumber(number) > held then
            redis.call('HSET', p .. 'claims:' .. where, 'part:' .. what, number)
            redis.call('HINCRBY', p .. 'claims:' .. where, 'total', text(number - held))
        end
        keep('claims:' .. where, 30 * DAY)
    end
end
return {now, current, redis.call('ZRANGE', p .. 'processes', 0, -1)}
"""
)
"""A process comes (back), and tells all that it knows."""

BEAT = (
    _HEAD
    + _PROCESS
    + """
-- name, epoch, seen
if not known() then return {now, 'unknown'} end
alive()
bury()
return {now, 'known', redis.call('ZRANGE', p .. 'processes', 0, -1)}
"""
)
"""A process is still there."""

LEAVE = (
    _HEAD
    + """
-- name
redis.call('ZREM', p .. 'processes', ARGV[1])
redis.call('SREM', p .. 'awaited', ARGV[1])
for _, flight in ipairs(redis.call('ZRANGE', p .. 'flights', 0, -1)) do
    if string.match(flight, '^(.*):') == ARGV[1] then redis.call('ZREM', p .. 'flights', flight) end
end
return {now}
"""
)
"""A process goes; what it has sent stays."""

TAKE = (
    _HEAD
    + _PROCESS
    + """
-- name, epoch, seen, bucket, its sends seen, failures seen, flights at most, due, number, how long it is
-- kept, how many sends the request is: they are numbered from its number on
if not known() then return {now, 'unknown'} end
alive()
bury()
local sends, flight = 'sends:' .. ARGV[4], name .. ':' .. ARGV[9]
local mine = redis.call('ZSCORE', p .. 'flights', flight)
if mine then return {now, 'taken', text(tonumber(mine)), 0} end
local new_sends = redis.call('ZRANGEBYSCORE', p .. sends, '(' .. ARGV[5], '+inf', 'WITHSCORES')
local new_failures = redis.call('ZRANGEBYSCORE', p .. 'failures', '(' .. ARGV[6], '+inf', 'WITHSCORES')
local flights = redis.call('ZCARD', p .. 'flights')
local paused = math.max(
    opens(), tonumber(redis.call('GET', p .. 'pause') or '0'),
    tonumber(redis.call('GET', p .. 'pause:' .. ARGV[4]) or '0')
)
local no_news = #new_sends == 0 and #new_failures == 0
if no_news and flights <= tonumber(ARGV[7]) and now >= tonumber(ARGV[8]) and now >= paused then
    local id
    for number = tonumber(ARGV[9]), tonumber(ARGV[9]) + tonumber(ARGV[11]) - 1 do
        id = note(sends, text(now) .. ':' .. name .. ':' .. text(number), tonumber(ARGV[10]))
    end
    trim(sends, tonumber(ARGV[10]))
    redis.call('ZADD', p .. 'flights', text(now), flight)
    keep('flights', FLIGHT)
    return {now, 'taken', text(now), id}
end
return {now, 'news', flights, text(paused), new_sends, new_failures}
"""
)
"""Record a request's sends and its flight if nothing is new; else tell what is."""

ENDED = (
    _HEAD
    + _PROCESS
    + """
-- name, epoch, seen, number, the failure or '', how long it is kept
redis.call('ZREM', p .. 'flights', name .. ':' .. ARGV[4])
if ARGV[5] ~= '' then
    note('failures', ARGV[5], tonumber(ARGV[6]))
    trim('failures', tonumber(ARGV[6]))
end
alive('XX')
return {now}
"""
)
"""A flight is over."""

PAUSE = (
    _HEAD
    + """
-- key, until
local at = tonumber(redis.call('GET', p .. ARGV[1]) or '0')
if tonumber(ARGV[2]) > math.max(at, now) then
    redis.call('SET', p .. ARGV[1], ARGV[2], 'PX', text(math.ceil((ARGV[2] - now) / 1000)))
end
return {now}
"""
)
"""Nobody sends before a time."""

LEASE = (
    _HEAD
    + """
-- name, who asks, for how long
local key = 'lease:' .. ARGV[1]
local held = redis.call('HMGET', p .. key, 'token', 'until', 'who')
if held[3] == ARGV[2] then return {now, held[1]} end
if held[2] and tonumber(held[2]) > now then return {now, ''} end
local token = text(math.max(now, tonumber(held[1] or '0') + 1))
redis.call('HSET', p .. key, 'token', token, 'until', text(now + ARGV[3]), 'who', ARGV[2])
keep(key, 30 * DAY + ARGV[3])
return {now, token}
"""
)
"""Give a lease, with a token larger than every earlier one: the time is, even to a server that forgot."""

RENEW = (
    _HEAD
    + """
-- name, token, for how long
local key = 'lease:' .. ARGV[1]
local token = redis.call('HGET', p .. key, 'token')
if token and token ~= ARGV[2] then return {now, 0} end
redis.call('HSET', p .. key, 'token', ARGV[2], 'until', text(now + ARGV[3]))
keep(key, 30 * DAY + ARGV[3])
return {now, 1}
"""
)
"""Hold a lease for longer, unless somebody else has taken it."""

RELEASE = (
    _HEAD
    + """
-- name, token
local key = 'lease:' .. ARGV[1]
if redis.call('HGET', p .. key, 'token') == ARGV[2] then redis.call('HSET', p .. key, 'until', '0') end
return {now}
"""
)
"""Give a lease back; its token is remembered."""

CLAIM = (
    _HEAD
    + _PROCESS
    + """
-- name, epoch, seen, job, part, amount, limit
if not known() then return {now, 'unknown'} end
alive()
local at = opens()
if now < at then return {now, 'later', text(at)} end
local key, part = 'claims:' .. ARGV[4], 'part:' .. ARGV[5]
local amount = tonumber(ARGV[6])
local held = tonumber(redis.call('HGET', p .. key, part) or '0')
local total = tonumber(redis.call('HGET', p .. key, 'total') or '0')
if amount > held and total - held + amount > tonumber(ARGV[7]) then return {now, 'refused'} end
redis.call('HSET', p .. key, part, ARGV[6], 'total', text(total - held + amount))
keep(key, 30 * DAY)
return {now, 'held'}
"""
)
"""Let a part of a job hold an amount, if the sum of all parts allows."""
