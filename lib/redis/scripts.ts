// The scripts that run inside of Redis. A topic is a hash with its epoch (e), the id of its newest event (l), history (h) and
// time to live (t), the id that the newest event brought (b) and its audience (a), and the event that was trimmed
// last (x), where it brought an id. Ids of the log are made here, not by XADD: they must go on when a log has expired.
import { createHash } from 'node:crypto'

export interface Script { readonly text: string, readonly sha: string }

// Milliseconds, at least, for which signs of life are kept: some beats, however soon other keys are forgotten.
const ALIVE = 60000

const COMMON = `
local function split (id)
  local ms, seq = string.match(id, '^(%d+)%-(%d+)$')
  return tonumber(ms), tonumber(seq)
end
local function field (entry, name)
  local fields = entry[2]
  for n = 1, #fields, 2 do if fields[n] == name then return fields[n + 1] end end
  return ''
end
local function now ()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
local function keep (key, ms)
  if ms > 0 then redis.call('PEXPIRE', key, ms) else redis.call('PERSIST', key) end
end
local function keepAlive (idle)
  keep(KEYS[5], idle > 0 and math.max(idle, ${ALIVE}) or 0)
end
-- The entries after an id of the log; nil when the log does not reach back to it.
local function after (last, start, ttl, limit)
  if start == last then return {} end
  local entries = redis.call('XRANGE', KEYS[2], '(' .. start, '+', 'COUNT', limit)
  if #entries == 0 or field(entries[1], 'p') ~= start then return nil end
  if ttl > 0 and split(entries[1][1]) <= now() - ttl then return nil end
  return entries
end
`

// ARGV: epoch of a new topic, idle
const TOPIC = `
local function topic ()
  local idle = tonumber(ARGV[2])
  local found = redis.call('HMGET', KEYS[1], 'e', 'l', 'h', 't', 'b', 'a')
  if not found[1] then
    found = { ARGV[1], '0-0', '0', '0', false, false }
    redis.call('HSET', KEYS[1], 'e', ARGV[1], 'l', '0-0', 'h', '0', 't', '0')
    redis.call('DEL', KEYS[2], KEYS[3], KEYS[4])
    keep(KEYS[1], idle)
  elseif idle > 0 and redis.call('PTTL', KEYS[1]) < idle * 0.75 then
    keep(KEYS[1], idle)
    if found[4] == '0' then for n = 2, 4 do keep(KEYS[n], idle) end end
  end
  return found
end
`

// ARGV: epoch, idle, cursor, limit. Gives epoch, newest id, history, ttl, id of the cursor, its audience, and id, previous id and content of each event.
const READ = `
local found = topic()
local epoch, last, ttl, cursor, limit = found[1], found[2], tonumber(found[4]), ARGV[3], tonumber(ARGV[4])
local start, audience = nil, ''
if string.sub(cursor, 1, #epoch + 1) == epoch .. '-' then
  local ms, seq = string.match(string.sub(cursor, #epoch + 2), '^(%d+)%.(%d+)$')
  if ms and #ms < 16 and #seq < 16 and (ms == '0' or string.sub(ms, 1, 1) ~= '0') and (seq == '0' or string.sub(seq, 1, 1) ~= '0') then start = ms .. '-' .. seq end
elseif cursor ~= '' then
  if found[5] == '=' .. cursor then
    start, audience = last, found[6]
  else
    local known = redis.call('HGET', KEYS[3], '=' .. cursor)
    if known then start, audience = string.match(known, '^(%S+) (.*)$') end
  end
end
local entries = start and after(last, start, ttl, math.max(limit, 1))
local reply = { epoch, last, found[3], found[4], entries and start or '', entries and audience or '' }
for n = 1, math.min(entries and #entries or 0, limit) do
  reply[#reply + 1] = entries[n][1]
  reply[#reply + 1] = field(entries[n], 'p')
  reply[#reply + 1] = field(entries[n], 'd')
end
return reply
`

// ARGV: epoch, idle. Gives epoch, newest id, and each value: id, previous id and content, in one text.
const LATEST = `
local found = topic()
local reply, ttl, values = { found[1], found[2] }, tonumber(found[4]), redis.call('HGETALL', KEYS[4])
local oldest = ttl > 0 and now() - ttl or -1
for n = 1, #values, 2 do
  if tonumber(string.match(values[n + 1], '^%d+')) > oldest then reply[#reply + 1] = values[n + 1] else redis.call('HDEL', KEYS[4], values[n]) end
end
return reply
`

// KEYS[5]: when each owner was heard of, and with an empty name when anybody was. ARGV: epoch, idle, silence, owner or nothing.
// Gives whether the owner is known, and the silent ones. Where no owner gave a sign of life for long, Redis was away itself, or no process looked.
const BEAT = `
topic()
local time, silence, owner = now(), tonumber(ARGV[3]), ARGV[4]
local last = redis.call('ZSCORE', KEYS[5], '')
if not last or time - tonumber(last) > silence / 2 then
  for _, name in ipairs(redis.call('ZRANGE', KEYS[5], 0, -1)) do redis.call('ZADD', KEYS[5], time, name) end
end
redis.call('ZADD', KEYS[5], time, '')
if owner ~= '' then redis.call('ZADD', KEYS[5], 'XX', time, owner) end
keepAlive(tonumber(ARGV[2]))
local reply = redis.call('ZRANGEBYSCORE', KEYS[5], '-inf', time - silence)
table.insert(reply, 1, owner ~= '' and redis.call('ZSCORE', KEYS[5], owner) and '1' or '0')
return reply
`

// Before what publishes: the values that go, where the owner is silent. ARGV[11]: silence.
const EVICT = `
local prefix, gone = ARGV[10] .. ' ', {}
local heard = redis.call('ZSCORE', KEYS[5], ARGV[10])
if not heard or tonumber(heard) > now() - tonumber(ARGV[11]) then return {} end
for _, name in ipairs(redis.call('HKEYS', KEYS[4])) do
  if string.sub(name, 1, #prefix) == prefix then gone[#gone + 1] = name end
end
redis.call('ZREM', KEYS[5], ARGV[10])
if #gone == 0 then return {} end
for n = 1, #gone, 1000 do redis.call('HDEL', KEYS[4], unpack(gone, n, math.min(n + 999, #gone))) end
`

// After it: the owner was heard of. ARGV[11] is its name.
const HOLD = `
if values == 'set' then
  redis.call('ZADD', KEYS[5], time, ARGV[11])
  keepAlive(idle)
end
`

// ARGV: epoch, idle, channel, content, '=' and the id that the event brought or nothing, its audience, history, ttl, '' or what is done with a value, its key
// The first write is one that Redis refuses when it is out of memory; the ones after it are then not refused.
const PUBLISH = `
local idle, own, history, ttl, values = tonumber(ARGV[2]), ARGV[5], tonumber(ARGV[7]), tonumber(ARGV[8]), ARGV[9]
local found = redis.call('HMGET', KEYS[1], 'e', 'l', 'b', 'x')
local epoch, last, trimmed = found[1], found[2], found[4] or ''
if not epoch then
  epoch, last = ARGV[1], '0-0'
  if redis.call('EXISTS', KEYS[2], KEYS[3], KEYS[4]) > 0 then redis.call('DEL', KEYS[2], KEYS[3], KEYS[4]) end
end
if values ~= '' then own = '' end
if own ~= '' then
  if string.sub(own, 2, #epoch + 2) == epoch .. '-' then return { 'position' } end
  local known = found[3] == own and last or string.match(redis.call('HGET', KEYS[3], own) or '', '^%S+')
  if known and after(last, known, ttl, 1) then return { 'taken' } end
end
local hasIds = redis.call('EXISTS', KEYS[3]) == 1
if not hasIds then trimmed = '' end
local time = now()
local ms, seq = split(last)
if time > ms then ms, seq = time, 0 else seq = seq + 1 end
local id = string.format('%.0f-%.0f', ms, seq)
if history > 0 then
  if hasIds or own ~= '' then
    redis.call('XADD', KEYS[2], id, 'p', last, 'd', ARGV[4], 'i', own)
  else
    redis.call('XADD', KEYS[2], 'MAXLEN', '=', history, id, 'p', last, 'd', ARGV[4])
    if ttl > 0 then redis.call('XTRIM', KEYS[2], 'MINID', '=', string.format('%.0f', math.max(0, time - ttl + 1))) end
  end
end
redis.call('HSET', KEYS[1], 'e', epoch, 'l', id, 'h', ARGV[7], 't', ARGV[8], 'b', own, 'a', ARGV[6])
if history == 0 then
  redis.call('DEL', KEYS[2], KEYS[3])
elseif hasIds or own ~= '' then
  if own ~= '' then redis.call('HSET', KEYS[3], own, id .. ' ' .. ARGV[6]) end
  -- The id of the event before the first one is known as well.
  local length, count, start = redis.call('XLEN', KEYS[2]), 0, '-'
  while start do
    local entries = redis.call('XRANGE', KEYS[2], start, '+', 'COUNT', start == '-' and 2 or 100)
    start = nil
    for n = 1, #entries do
      local entry = entries[n]
      if length - count <= history and not (ttl > 0 and split(entry[1]) <= time - ttl) then start = nil break end
      local before, brought = string.match(trimmed, '^(%S+) (.*)$')
      if before and string.match(redis.call('HGET', KEYS[3], brought) or '', '^%S+') == before then redis.call('HDEL', KEYS[3], brought) end
      brought = field(entry, 'i')
      trimmed = brought == '' and '' or entry[1] .. ' ' .. brought
      count, start = count + 1, '(' .. entry[1]
    end
  end
  if count > 0 then redis.call('XTRIM', KEYS[2], 'MAXLEN', '=', length - count) end
  redis.call('HSET', KEYS[1], 'x', trimmed)
end
if values == 'set' then
  redis.call('HSET', KEYS[4], ARGV[10], id .. ' ' .. last .. ' ' .. ARGV[4])
elseif values == 'remove' then
  redis.call('HDEL', KEYS[4], ARGV[10])
end
keep(KEYS[1], idle)
for n = 2, 4 do keep(KEYS[n], ttl > 0 and ttl or idle) end
redis.call('PUBLISH', ARGV[3], table.concat({ epoch, id, last, ARGV[7], ARGV[8] }, ' ') .. '\\n' .. ARGV[4])
`

const PUBLISHED = `
return { epoch, id, last }
`

function script (...parts: string[]): Script {
  const text = parts.join('')
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}

export const SCRIPTS = {
  publish: script(COMMON, PUBLISH, PUBLISHED),
  read: script(COMMON, TOPIC, READ),
  latest: script(COMMON, TOPIC, LATEST),
  hold: script(COMMON, PUBLISH, HOLD, PUBLISHED),
  beat: script(COMMON, TOPIC, BEAT),
  evict: script(COMMON, EVICT, PUBLISH, PUBLISHED)
}
