import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { loadConfig } from '../../../src/config/load.ts';
import { ConfigError } from '../../../src/config/problem.ts';
import { createRedactor, redactConfig, secretsOf } from '../../../src/config/redact.ts';
import { temporaryDirectory } from '../../support/config-file.ts';

/** Pieces of which configurations are made, right and wrong. */
const keys = fc.constantFrom(
  ...[
    'mappings',
    'prefix',
    'origin',
    'folder',
    'cold',
    'auth',
    'kind',
    'password',
    'upload',
    'tags',
    'context',
    'allow',
  ],
  ...[
    'types',
    'maxBytes',
    'network',
    'listen',
    'delivery',
    'store',
    'url',
    'embedded',
    'ledger',
    'query',
    'waitBudget',
  ],
  ...['__proto__', 'constructor', 'toString', 'length', '0', ''],
);
const scalars = fc.oneof(
  fc.constantFrom(
    '/a/',
    'https://a.example/',
    'basic',
    's3',
    'key',
    '${A}',
    '${',
    '${B:-}',
    '127.0.0.1:1',
    '2GB',
    's3://b/',
  ),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.double(),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
);
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    scalars,
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.array(fc.tuple(keys, tie('tree')), { maxLength: 5 }).map((pairs) => Object.fromEntries(pairs)),
  ),
}));
const yamlPieces = fc.array(
  fc.oneof(
    fc.constantFrom(
      'mappings:',
      '\n',
      '  ',
      '- ',
      '[',
      ']',
      '{',
      '}',
      ': ',
      '&a ',
      '*a',
      '!!str ',
      '|\n',
      '"',
      "'",
      '#',
      '---\n',
      '\t',
      '? ',
    ),
    keys,
    fc.string({ unit: 'binary', maxLength: 6 }),
  ),
  { maxLength: 60 },
);

describe('whatever the file holds', () => {
  const loadSource = (file: string, source: string | Uint8Array) => {
    writeFileSync(file, source);
    try {
      return loadConfig({ environment: { A: 'https://a.example/' }, file });
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      expect(error.problems.length).toBeGreaterThan(0);
      return undefined;
    }
  };

  it('loading fails with a ConfigError or not at all: trees of known and unknown keys', () => {
    const file = join(temporaryDirectory(), 'lazyferry.yaml');
    fc.assert(
      fc.property(tree, (value) => {
        loadSource(file, stringify(value));
      }),
      { numRuns: 500 },
    );
  });

  it('loading fails with a ConfigError or not at all: pieces of YAML', () => {
    const file = join(temporaryDirectory(), 'lazyferry.yaml');
    fc.assert(
      fc.property(yamlPieces, (pieces) => {
        loadSource(file, pieces.join(''));
      }),
      { numRuns: 500 },
    );
  });

  it('loading fails with a ConfigError or not at all: bytes', () => {
    const file = join(temporaryDirectory(), 'lazyferry.yaml');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        loadSource(file, bytes);
      }),
      { numRuns: 200 },
    );
  });

  it('loading fails with a ConfigError or not at all: --map and environment', () => {
    const text = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(text, text, text, (map, url, listen) => {
        try {
          const environment = { CLOUDINARY_URL: url, REDIS_URL: url, LAZYFERRY_LISTEN: listen };
          loadConfig({ environment, maps: [map, `/a/=https://${map}`] });
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('whatever the secrets are', () => {
  /** Long enough not to be part of an ordinary word by chance. */
  const secret = fc.string({ unit: 'binary', minLength: 10, maxLength: 24 }).filter((text) => text.trim() === text);
  const headerSecret = fc.string({ unit: 'grapheme-ascii', minLength: 10, maxLength: 24 });
  const source = stringify({
    ledger: { url: 'redis://user:${REDIS_PASSWORD}@127.0.0.1:6379' },
    mappings: [
      { prefix: '/a/', origin: 'https://a.example/', auth: { kind: 'basic', username: 'u', password: '${BASIC}' } },
      {
        prefix: '/b/',
        origin: 'https://b.example/',
        auth: { kind: 'header', name: 'X-Key', value: 'Token ${HEADER}' },
      },
      { prefix: '/c/', origin: 's3://c/', auth: { kind: 's3', accessKeyId: 'k', secretAccessKey: '${S3}' } },
    ],
  });

  it('neither the shown configuration nor a logged text lets one through, in any form', () => {
    const file = join(temporaryDirectory(), 'lazyferry.yaml');
    writeFileSync(file, source);
    fc.assert(
      fc.property(fc.tuple(secret, headerSecret, secret, secret), ([basic, header, s3, redis]) => {
        const environment = { BASIC: basic, HEADER: header, S3: s3, REDIS_PASSWORD: encodeURIComponent(redis) };
        const { config } = loadConfig({ environment, file });
        const redact = createRedactor(config);
        const forms = [basic, header, s3, redis].flatMap((text) => [
          text,
          encodeURIComponent(text),
          JSON.stringify(text).slice(1, -1),
        ]);
        const shown = [JSON.stringify(redactConfig(config)), ...forms.map((form) => redact(`before ${form} after`))];
        const pieces = shown.flatMap((text) => text.split('[redacted]'));
        const leaked = [...forms, ...secretsOf(config)].filter((form) => pieces.some((piece) => piece.includes(form)));
        expect(leaked).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});
