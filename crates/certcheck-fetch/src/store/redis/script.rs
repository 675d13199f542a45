//! The scripts that the engine runs. Each touches the keys of one entry, whatever type and size others have given them.

use std::sync::LazyLock;

use redis::Script;

/// Reads fields of a head: `ARGV` is pairs of a field and its largest size. The answer is nil if there is no head, the
/// fields, or only the `sha` if the head is none of ours: sizes are compared by the engine, so that a value of any size
/// is not sent.
pub(super) static READ: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local kind = redis.call('TYPE', KEYS[1])['ok']
if kind == 'none' then return false end
if kind ~= 'hash' then return {''} end
local fields = {}
for i = 1, #ARGV, 2 do
    if redis.call('HSTRLEN', KEYS[1], ARGV[i]) > tonumber(ARGV[i + 1]) then
        if redis.call('HSTRLEN', KEYS[1], 'sha') ~= 64 then return {''} end
        return {redis.call('HGET', KEYS[1], 'sha')}
    end
    fields[#fields + 1] = ARGV[i]
end
return redis.call('HMGET', KEYS[1], unpack(fields))
",
    )
});

/// Writes a head unless there is a newer one. `ARGV`: 1 time, 2 number, 3 SHA-256, 4 chunks, 5 size, 6 record, 7 the
/// SHA-256 of a head that did not count, 8 the latest time that can be true, 9 when it ends in milliseconds, 10 channel,
/// 11 news. Times and numbers have a fixed number of digits, so that comparing text compares them.
/// The answer is 0 if it is older, 2 if its bytes are there already; or 1, and the SHA-256 and chunks of the head before.
pub(super) static WRITE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local head = KEYS[1]
local old, chunks = '', ''
local is_ours = redis.call('TYPE', head)['ok'] == 'hash'
if is_ours then
    for field, size in pairs({t = 20, n = 40, sha = 64}) do
        is_ours = is_ours and redis.call('HSTRLEN', head, field) == size
    end
    is_ours = is_ours and redis.call('HSTRLEN', head, 'c') <= 8
end
if is_ours then
    local known = redis.call('HMGET', head, 't', 'n', 'sha', 'c')
    old, chunks = known[3], known[4] or ''
    local is_digest = string.match(old, '^[0-9a-f]+$')
    if is_digest and known[1] <= ARGV[8] and old ~= ARGV[7] then
        if ARGV[1] < known[1] or (ARGV[1] == known[1] and ARGV[2] < known[2]) then return {0} end
        if old == ARGV[3] then
            redis.call('HSET', head, 't', ARGV[1], 'n', ARGV[2], 'c', ARGV[4], 's', ARGV[5], 'r', ARGV[6])
            redis.call('PEXPIREAT', head, ARGV[9])
            if ARGV[1] == known[1] and ARGV[2] == known[2] then return {2} end
            redis.call('PUBLISH', ARGV[10], ARGV[11])
            return {2}
        end
        if ARGV[1] == known[1] and ARGV[2] == known[2] then return {0} end
    end
end
redis.call('UNLINK', head)
redis.call('HSET', head, 't', ARGV[1], 'n', ARGV[2], 'sha', ARGV[3], 'c', ARGV[4], 's', ARGV[5], 'r', ARGV[6])
redis.call('PEXPIREAT', head, ARGV[9])
redis.call('PUBLISH', ARGV[10], ARGV[11])
return {1, old, chunks}
",
    )
});

/// Removes a head with this SHA-256, or one that is none of ours. Another one stays.
pub(super) static REMOVE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
if redis.call('TYPE', KEYS[1])['ok'] == 'hash' and redis.call('HSTRLEN', KEYS[1], 'sha') == 64 then
    local sha = redis.call('HGET', KEYS[1], 'sha')
    if sha ~= ARGV[1] and string.match(sha, '^[0-9a-f]+$') then return 0 end
end
return redis.call('UNLINK', KEYS[1])
",
    )
});

/// Prolongs a lease that is ours, by milliseconds.
pub(super) static RENEW: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
if redis.call('TYPE', KEYS[1])['ok'] ~= 'string' or redis.call('GETRANGE', KEYS[1], 0, 64) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
",
    )
});

/// Ends a lease that is ours.
pub(super) static RELEASE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
if redis.call('TYPE', KEYS[1])['ok'] ~= 'string' or redis.call('GETRANGE', KEYS[1], 0, 64) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
",
    )
});
