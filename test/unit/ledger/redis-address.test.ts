import { expect, test } from 'vitest';
import { parseRedisUrl } from '../../../src/ledger/redis/address.ts';

test.each([
  [
    'redis://localhost',
    { kind: 'single', nodes: [{ host: 'localhost', port: 6379 }], tls: false, database: 0, prefix: 'lazyferry' },
  ],
  [
    'rediss://user:p%40ss@redis.example.com:6380/3?prefix=team:a',
    {
      kind: 'single',
      nodes: [{ host: 'redis.example.com', port: 6380 }],
      tls: true,
      username: 'user',
      password: 'p@ss',
      database: 3,
      prefix: 'team:a',
    },
  ],
  [
    'redis://:secret@[::1]:7000',
    {
      kind: 'single',
      nodes: [{ host: '::1', port: 7000 }],
      tls: false,
      password: 'secret',
      database: 0,
      prefix: 'lazyferry',
    },
  ],
  [
    'redis+sentinel://:secret@one:1,two/the-master?db=2&sentinelPassword=other&tls=true',
    {
      kind: 'sentinel',
      nodes: [
        { host: 'one', port: 1 },
        { host: 'two', port: 26_379 },
      ],
      tls: true,
      password: 'secret',
      database: 2,
      master: 'the-master',
      sentinelPassword: 'other',
      prefix: 'lazyferry',
    },
  ],
  [
    'redis+cluster://one:1,[2001:db8::1]:2',
    {
      kind: 'cluster',
      nodes: [
        { host: 'one', port: 1 },
        { host: '2001:db8::1', port: 2 },
      ],
      tls: false,
      database: 0,
      prefix: 'lazyferry',
    },
  ],
])('%s is understood', (url, address) => {
  expect(parseRedisUrl(url)).toEqual(address);
});

test.each([
  ['http://localhost', /not a Redis URL/],
  ['redis://', /not a Redis URL/],
  ['redis://one,two', /names several servers/],
  ['redis://host:0', /names no server/],
  ['redis://host/first', /names no database/],
  ['redis://host?dbb=1', /unknown parameter dbb/],
  ['redis://host?prefix=a{b}', /prefix takes letters/],
  ['redis+sentinel://host:1', /names no master/],
  ['redis+cluster://host:1?db=1', /database 0 only/],
])('%s is refused with what would be right', (url, message) => {
  expect(() => parseRedisUrl(url)).toThrow(message);
});

test('a refusal does not repeat the password', () => {
  const refusal = (() => {
    try {
      return parseRedisUrl('redis://user:planted-secret@host/first?prefix={}');
    } catch (error) {
      return String(error);
    }
  })();
  expect(refusal).toMatch(/TypeError/);
  expect(refusal).not.toContain('planted-secret');
});
