import type { Cluster, Redis } from 'ioredis';

/**
 * Everything the driver asks of Redis, as one type over a single server and a Cluster. The scripts keep record,
 * indexes and tally in step; what a change means is decided in `transitions.ts`, never here.
 */
export interface RedisCommands {
  hgetBuffer(key: string, field: string): Promise<Buffer | null>;
  hgetall(key: string): Promise<Record<string, string>>;
  info(section: string): Promise<string>;
  zcard(key: string): Promise<number>;
  ping(): Promise<string>;
  /** Server time in milliseconds, the value or null, and the newest token of a forgotten asset of the bucket. */
  readCellBuffer(
    assets: string,
    tally: string,
    field: string,
  ): Promise<[now: Buffer, value: Buffer | null, forgotten: Buffer | null]>;
  /** 1: replaced. 0: somebody else changed the value since it was read, or it was read too long ago. */
  replaceCell(
    assets: string,
    due: string,
    tally: string,
    idle: string,
    field: string,
    expected: Buffer | '',
    next: Buffer | '',
    dueAt: number | '',
    idleSince: number | '',
    readAt: number,
    forgotten: number,
    channel: string,
    ...tallyChanges: (string | number)[]
  ): Promise<number>;
  /** Fields and values in turn, of what was due before now. */
  dueCellsBuffer(assets: string, due: string, limit: number): Promise<Buffer[]>;
  /** Fields and times in turn: what is idle for longer than `keepMs`, and the `excess` longest idle at least. */
  oldestIdle(idle: string, keepMs: number, excess: number, limit: number): Promise<string[]>;
  /** 1: the duty is this owner's for so long. 0: it is another's. */
  takeDuty(key: string, owner: string, leaseMs: number): Promise<number>;
  /** Keeps the key for so long from now, at least. */
  keepFor(key: string, milliseconds: number): Promise<number>;
  pttl(key: string): Promise<number>;
  scanCellsBuffer(
    assets: string,
    cursor: string,
    wanted: number,
    steps: number,
    mapping: string,
    pathPrefix: string,
    states: string,
    reasons: string,
  ): Promise<[before: Buffer, next: Buffer, fieldsAndValues: Buffer[]]>;
}

const serverTime = `
local function milliseconds()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
`;

const readCell = `${serverTime}
return {
  string.format('%.0f', milliseconds()),
  redis.call('HGET', KEYS[1], ARGV[1]),
  redis.call('HGET', KEYS[2], 'forgotten'),
}`;

/**
 * Compare and set. The time was read with the value: a caller who was paused in between reads again, so that a lease
 * never begins in the past. The first write is the one that Redis refuses when it is out of memory; after it, nothing
 * in the script can be refused.
 */
const replaceCell = `${serverTime}
local field, expected, replacement, due, idle, readAt, forgotten, channel =
  ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6]), ARGV[7], ARGV[8]
local now = milliseconds()
if now < readAt or now - readAt > 1000 then return 0 end
if (redis.call('HGET', KEYS[1], field) or '') ~= expected then return 0 end
if replacement == '' then
  redis.call('HSET', KEYS[3], 'forgotten', forgotten)
  redis.call('HDEL', KEYS[1], field)
else
  redis.call('HSET', KEYS[1], field, replacement)
end
for key, time in pairs({ [KEYS[2]] = due, [KEYS[4]] = idle }) do
  if time == '' then
    redis.call('ZREM', key, field)
  else
    redis.call('ZADD', key, time, field)
  end
end
for index = 9, #ARGV, 2 do
  if redis.call('HINCRBY', KEYS[3], ARGV[index], ARGV[index + 1]) == 0 then
    redis.call('HDEL', KEYS[3], ARGV[index])
  end
end
if channel ~= '' then redis.call('PUBLISH', channel, field) end
return 1`;

const dueCells = `${serverTime}
local fields = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', milliseconds()), 'LIMIT', 0, ARGV[1])
local found = {}
for _, field in ipairs(fields) do
  local value = redis.call('HGET', KEYS[1], field)
  if value then
    found[#found + 1] = field
    found[#found + 1] = value
  end
end
return found`;

const oldestIdle = `${serverTime}
local keepMs, excess, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local cutoff = milliseconds() - keepMs
local found = {}
local oldest = redis.call('ZRANGE', KEYS[1], 0, limit - 1, 'WITHSCORES')
for index = 1, #oldest, 2 do
  if index > excess * 2 and tonumber(oldest[index + 1]) >= cutoff then break end
  found[index], found[index + 1] = oldest[index], oldest[index + 1]
end
return found`;

const takeDuty = `
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`;

const keepFor = `
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], '', 'PX', ARGV[1]) end
return 1`;

/**
 * Walks a bucket by the smallest steps HSCAN knows and stops before the step that would exceed what is wanted; only a
 * first step that finds anything may exceed it by itself (a small hash is scanned in one step). See `pages.ts`.
 */
const scanCells = `
local before, cursor = ARGV[1], ARGV[1]
local wanted, steps = tonumber(ARGV[2]), tonumber(ARGV[3])
local mapping, prefix, states, reasons = ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local function matches(field, value)
  if states ~= '' and not string.find(states, string.sub(value, 1, 1), 1, true) then return false end
  if reasons ~= '' and not string.find(reasons, string.sub(value, 2, 2), 1, true) then return false end
  local space = string.find(field, ' ', 1, true)
  if not space then return false end
  if mapping ~= '' and string.sub(field, 1, space - 1) ~= mapping then return false end
  return string.sub(field, space + 1, space + #prefix) == prefix
end
local found = {}
for step = 1, steps do
  local reply = redis.call('HSCAN', KEYS[1], cursor, 'COUNT', 1)
  local kept = {}
  for index = 1, #reply[2], 2 do
    if matches(reply[2][index], reply[2][index + 1]) then
      kept[#kept + 1] = reply[2][index]
      kept[#kept + 1] = reply[2][index + 1]
    end
  end
  if #found > 0 and #found + #kept > wanted * 2 then return { before, cursor, found } end
  for _, part in ipairs(kept) do found[#found + 1] = part end
  before, cursor = cursor, reply[1]
  if cursor == '0' or #found >= wanted * 2 then break end
end
return { before, cursor, found }`;

/** Teaches a client the scripts above. EVALSHA falls back to EVAL by itself when the server lost them. */
export function defineScripts(client: Redis | Cluster): RedisCommands {
  client.defineCommand('readCell', { numberOfKeys: 2, lua: readCell });
  client.defineCommand('replaceCell', { numberOfKeys: 4, lua: replaceCell });
  client.defineCommand('dueCells', { numberOfKeys: 2, lua: dueCells });
  client.defineCommand('oldestIdle', { numberOfKeys: 1, lua: oldestIdle });
  client.defineCommand('takeDuty', { numberOfKeys: 1, lua: takeDuty });
  client.defineCommand('keepFor', { numberOfKeys: 1, lua: keepFor });
  client.defineCommand('scanCells', { numberOfKeys: 1, lua: scanCells });
  return client as unknown as RedisCommands;
}
