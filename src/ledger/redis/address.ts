/** Where the ledger's Redis is, as its URL says it. */
export interface RedisAddress {
  readonly kind: 'single' | 'sentinel' | 'cluster';
  /** The server, the Sentinels, or the Cluster's first contacts. */
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  readonly tls: boolean;
  readonly username?: string;
  readonly password?: string;
  readonly database: number;
  /** What the Sentinels call the master. */
  readonly master?: string;
  readonly sentinelUsername?: string;
  readonly sentinelPassword?: string;
  /** What every key and the news channel begin with. */
  readonly prefix: string;
}

const shape = /^(rediss?|redis\+sentinel|redis\+cluster):\/\/(?:([^@/?]*)@)?([^/?@]+)(?:\/([^?]*))?(?:\?(.*))?$/;
const known = ['db', 'prefix', 'tls', 'sentinelUsername', 'sentinelPassword'];

/**
 * Reads `redis://[user:password@]host[:port][/database]`, `rediss://…` (TLS),
 * `redis+sentinel://[user:password@]host:port,host:port/master-name[?db=…&sentinelUsername=…&sentinelPassword=…]` and
 * `redis+cluster://[user:password@]host:port,host:port`; each with `?prefix=…` and, where the scheme does not say it,
 * `?tls=true`. User names and passwords are percent-encoded.
 *
 * @throws {TypeError} saying what is wrong, without the URL: it may hold a password
 */
export function parseRedisUrl(url: string): RedisAddress {
  const match = shape.exec(url);
  if (match === null) {
    throw new TypeError(
      'the ledger URL is not a Redis URL: write redis://host:6379/0, rediss://…, redis+sentinel://host:26379,host:26379/master-name or redis+cluster://host:6379,host:6379',
    );
  }
  const [, scheme = '', user, hosts = '', path = '', search = ''] = match;
  const kind = scheme === 'redis+sentinel' ? 'sentinel' : scheme === 'redis+cluster' ? 'cluster' : 'single';
  const parameters = readParameters(search);
  const nodes = hosts.split(',').map((host) => readNode(host, kind === 'sentinel' ? 26_379 : 6_379));
  if (kind === 'single' && nodes.length > 1) {
    throw new TypeError('the ledger URL names several servers: write redis+sentinel:// or redis+cluster://');
  }
  const master = kind === 'sentinel' ? decodeURIComponent(path) : undefined;
  if (master === '') {
    throw new TypeError('the ledger URL names no master: write redis+sentinel://host:26379/master-name');
  }
  return {
    kind,
    nodes,
    tls: scheme === 'rediss' || parameters.get('tls') === 'true',
    ...readUser(user),
    database: readDatabase(parameters.get('db') ?? (kind === 'single' ? path : ''), kind),
    ...(master !== undefined && { master }),
    ...given('sentinelUsername', parameters.get('sentinelUsername')),
    ...given('sentinelPassword', parameters.get('sentinelPassword')),
    prefix: readPrefix(parameters.get('prefix') ?? 'lazyferry'),
  };
}

function readParameters(search: string): URLSearchParams {
  const parameters = new URLSearchParams(search);
  for (const name of parameters.keys()) {
    if (!known.includes(name)) {
      throw new TypeError(`the ledger URL has an unknown parameter ${name}: it takes ${known.join(', ')}`);
    }
  }
  return parameters;
}

function readNode(text: string, defaultPort: number): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text);
  const port = Number(match?.[3] ?? defaultPort);
  if (match === null || port < 1 || port > 65_535) {
    throw new TypeError('the ledger URL names no server: write host:port, with an IPv6 address in brackets');
  }
  return { host: match[1] ?? match[2] ?? '', port };
}

function readUser(user: string | undefined): { username?: string; password?: string } {
  if (user === undefined) return {};
  const colon = user.indexOf(':');
  const username = decodeURIComponent(colon === -1 ? user : user.slice(0, colon));
  const password = colon === -1 ? '' : decodeURIComponent(user.slice(colon + 1));
  return { ...given('username', username), ...given('password', password) };
}

function readDatabase(text: string, kind: RedisAddress['kind']): number {
  const database = Number(text === '' ? 0 : text);
  if (!Number.isInteger(database) || database < 0) {
    throw new TypeError('the ledger URL names no database: write its number, such as redis://host:6379/0');
  }
  if (kind === 'cluster' && database !== 0) throw new TypeError('the ledger URL: a Redis Cluster has database 0 only');
  return database;
}

function readPrefix(prefix: string): string {
  if (!/^[\w.:-]+$/.test(prefix)) {
    throw new TypeError('the ledger URL: prefix takes letters, digits and . : _ - only');
  }
  return prefix;
}

function given<Name extends string>(name: Name, value: string | null | undefined): { [key in Name]?: string } {
  return value === null || value === undefined || value === '' ? {} : ({ [name]: value } as { [key in Name]: string });
}
