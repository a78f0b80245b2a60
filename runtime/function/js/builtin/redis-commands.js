// What the two Redis clients share: the commands' names and the way to send them.
const names = `append bitCount bitField bitFieldRo bitOp bitPos blMove blPop brPop brPopLPush bzPopMax bzPopMin copy dbSize decr
decrBy del dump echo exists expire expireAt expireTime flushAll flushDb geoAdd geoDist geoHash geoPos geoRadius geoSearch
geoSearchStore get getBit getDel getEx getRange getSet hDel hExists hGet hGetAll hIncrBy hIncrByFloat hKeys hLen hmGet hmSet hRandField
hScan hSet hSetNX hStrLen hVals incr incrBy incrByFloat info keys lIndex lInsert lLen lMove lPop lPos lPush lPushX lRange lRem
lSet lTrim mGet mSet mSetNX move object persist pExpire pExpireAt pExpireTime pfAdd pfCount pfMerge ping pSetEx pTTL publish
randomKey rename renameNX restore rPop rPopLPush rPush rPushX sAdd scan sCard script sDiff sDiffStore set setBit setEx setNX setRange
sInter sInterCard sInterStore sIsMember sMembers smIsMember sMove sort sPop sRandMember sRem sScan strLen sUnion
sUnionStore time touch ttl type unlink xAck xAdd xAutoClaim xClaim xDel xGroup xInfo xLen xPending xRange xRead xReadGroup xRevRange
xTrim zAdd zCard zCount zDiff zDiffStore zIncrBy zInter zInterCard zInterStore zLexCount zmScore zPopMax zPopMin
zRandMember zRange zRangeByLex zRangeByScore zRangeStore zRank zRem zRemRangeByLex zRemRangeByRank zRemRangeByScore
zRevRange zRevRangeByLex zRevRangeByScore zRevRank zScan zScore zUnion zUnionStore eval evalSha`.split(/\s+/);

// Connections are shared by all invocations, so that what would change one for its next user is not to be had.
const stateful = new Set(['SUBSCRIBE', 'PSUBSCRIBE', 'SSUBSCRIBE', 'UNSUBSCRIBE', 'PUNSUBSCRIBE', 'MONITOR', 'SYNC', 'PSYNC', 'MULTI', 'EXEC', 'DISCARD',
  'WATCH', 'UNWATCH', 'SELECT', 'AUTH', 'HELLO', 'QUIT', 'RESET', 'CLIENT', 'ASKING', 'READONLY']);
const absent = (what) => new Error(`${what} is not provided by the js runtime: Redis connections are shared; use runtime = "nodejs22.x" for functions that need it`);

const word = (v) => {
  switch (typeof v) {
    case 'string': return v;
    case 'number': case 'bigint': return String(v);
    default:
      if (v instanceof Uint8Array) return v;
      throw new TypeError(`An argument of a Redis command must be of type "string | Buffer", got ${v === null ? 'null' : typeof v} instead.`);
  }
};

// send resolves to the replies of commands that travel together, errors among them.
const send = (url, commands) => {
  for (const [name] of commands) if (stateful.has(String(name).toUpperCase())) throw absent(name);
  return host.redis(url, commands.map((c) => c.map(word)));
};
// transaction resolves to EXEC's replies, or rejects with why Redis refused the whole.
const transaction = async (url, commands) => {
  for (const [name] of commands) if (stateful.has(String(name).toUpperCase())) throw absent(name);
  const replies = await host.redis(url, [['MULTI'], ...commands.map((c) => c.map(word)), ['EXEC']]);
  const last = replies.at(-1);
  if (last instanceof Error) throw replies.find((r) => r instanceof Error);
  return last;
};
const pairs = (list) => {
  const out = Object.create(null);
  for (let i = 0; i < list.length; i += 2) out[list[i]] = list[i + 1];
  return out;
};
const urlOf = ({ url, host: name = '127.0.0.1', port = 6379, username = '', password, database = 0, tls }) => {
  if (url) return String(url);
  const user = password === undefined ? '' : `${encodeURIComponent(username)}:${encodeURIComponent(password)}@`;
  return `${tls ? 'rediss' : 'redis'}://${user}${name}:${port}${database ? '/' + database : ''}`;
};
const withDatabase = (url, n) => url.replace(/^(\w+:\/\/[^/?]*)(\/[^?]*)?/, `$1/${n}`);

module.exports = { names, absent, send, transaction, pairs, urlOf, withDatabase };
