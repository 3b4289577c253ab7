import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { ConfigError, formatProblem } from '../../../src/config/problem.ts';
import { complaintsAbout, load, problemsOf, temporaryDirectory, withMapping } from '../../support/config-file.ts';

describe('a problem', () => {
  it('is printed with file, line, column, key and mend', () => {
    const source = 'mappings:\n  - prefix: /images/\n    origin: https://www.example.com/\n    cold: passthru\n';
    const [problem] = problemsOf(source);
    expect(problem && formatProblem({ ...problem, file: 'lazyferry.yaml' })).toBe(
      'lazyferry.yaml:4:5 mappings[0].cold: "passthru" is not one of passthrough, wait, redirect — did you mean passthrough?',
    );
  });

  it('comes together with all others, in the order of the file', () => {
    const source = [
      'listn: {}',
      'store: { uploads: 0, chunkSize: 3MB }',
      'mappings:',
      '  - prefix: images',
      '    cold: never',
      '    auth: { kind: basc }',
      '  - prefix: /a/',
      '    origin: ftp://example.com/',
      '    waitBudget: ten',
      '    upload: { tags: [2024], async: yes }',
      '    allow: { types: jpeg }',
    ].join('\n');
    expect(problemsOf(source).map(({ line, column, key }) => `${line}:${column} ${key}`)).toEqual([
      '1:1 listn',
      '2:10 store.uploads',
      '2:22 store.chunkSize',
      '4:5 mappings[0].prefix',
      '4:5 mappings[0].origin',
      '5:5 mappings[0].cold',
      '6:13 mappings[0].auth.kind',
      '8:5 mappings[1].origin',
      '9:5 mappings[1].waitBudget',
      '10:22 mappings[1].upload.tags[0]',
      '10:29 mappings[1].upload.async',
      '11:14 mappings[1].allow.types',
    ]);
  });

  it('cannot steer the terminal or fake a second line', () => {
    const [problem] = problemsOf(withMapping('"co\\e[31m\\nld": 1'));
    expect(problem && formatProblem(problem)).not.toMatch(/\p{Cc}/u);
  });

  it.each([
    ['cold: passthru', 'cold: "passthru" is not one of passthrough, wait, redirect — did you mean passthrough?'],
    ['redirectStatus: 303', 'redirectStatus: 303 is not one of 301, 302, 307, 308 — write one of them'],
    ['query: 3', 'query: 3 is not one of ignore, key or a list'],
    ['query: kye', 'query: "kye" is not one of ignore, key — did you mean key?'],
    ['query: []', 'query: the list is empty — name one at least'],
    [
      'folder: a/v12/b',
      'folder: "a/v12/b" has a part such as v12 — name it otherwise: Cloudinary reads such a part as a version',
    ],
    ['folder: /a', 'folder: "/a" is not a folder — no ? & # \\ % < > +, and no / at either end, such as site/images'],
    ['folder:', 'folder: is empty — give it a value, or remove the line'],
    ['upload:', 'upload: is empty — give it a value, or remove the line'],
    ['upload: yes', 'upload: "yes" is not a mapping of keys'],
    ['upload: { tags: [2024] }', 'upload.tags[0]: 2024 is not a text — put it in quotes'],
    [
      'allow: { maxBytes: 2XB }',
      'allow.maxBytes: "2XB" is not a size — write a number of bytes, or one with a unit such as 500KB, 20MB or 2GB',
    ],
    ['allow: { types: [] }', 'allow.types: the list is empty — name one at least'],
    [
      'allow: { types: [jpeg] }',
      'allow.types[0]: "jpeg" is not a content type — write one such as image/jpeg or image/*',
    ],
    ['network: { connections: 0 }', 'network.connections: 0 is too small — write 1 or more'],
    ['network: { connections: 5000 }', 'network.connections: 5000 is too large — write 1024 or less'],
    ['network: { connections: 1.5 }', 'network.connections: 1.5 is not a whole number'],
    ['waitBudget: 90d', 'waitBudget: "90d" is too long — write 24d or less'],
    [
      'waitBudget: -1',
      'waitBudget: -1 is not a duration — write milliseconds, or a number with ms, s, m, h or d, such as 30s',
    ],
    [
      'upload: { notificationUrl: /hook }',
      'upload.notificationUrl: "/hook" is not a URL — write an absolute http or https URL',
    ],
    ['auth: { kind: bearer }', 'auth.token: is missing — Token, from the environment.'],
  ])('of `%s` says what would be right', (lines, complaint) => {
    expect(complaintsAbout(withMapping(lines))).toEqual([`mappings[0].${complaint}`]);
  });

  it.each([
    ['colds: wait', 'colds: unknown key — did you mean cold?'],
    ['maxBytes: 2GB', 'maxBytes: unknown key here — did you mean allow.maxBytes?'],
    ['allow: { zzzzzzz: 1 }', 'allow.zzzzzzz: unknown key — known here: types, extensions, private, maxBytes'],
    ['auth: { kind: bearer, token: "${T:-}x", tokn: 1 }', 'auth.tokn: unknown key — did you mean token?'],
    ['__proto__: { cold: wait }', '__proto__: unknown key — known here'],
    ['constructor: 1', 'constructor: unknown key'],
  ])('of the unknown key in `%s` names the key that was meant', (lines, complaint) => {
    expect(complaintsAbout(withMapping(lines)).join('\n')).toContain(`mappings[0].${complaint}`);
  });

  it.each([
    ['images', 'prefix'],
    ['/images', 'prefix'],
    ['/a b/', 'prefix'],
    ['/a/../b/', 'prefix'],
    ['/./', 'prefix'],
    ['//a/', 'prefix'],
    ['/a%2fb/', 'prefix'],
  ])('refuses the prefix %s', (prefix) => {
    expect(complaintsAbout(`mappings: [{ prefix: "${prefix}", origin: "https://a.example/" }]`)).toEqual([
      expect.stringContaining(`mappings[0].prefix: ${JSON.stringify(prefix)} is not a prefix`),
    ]);
  });

  it.each([
    'www.example.com',
    'ftp://a/',
    'https://',
    'https://a/?x',
    'https://a/#x',
    'https://a/../b',
    'https://a/b c',
  ])('refuses the origin %s', (origin) => {
    expect(problemsOf(`mappings: [{ prefix: /a/, origin: "${origin}" }]`)).toMatchObject([
      { key: 'mappings[0].origin' },
    ]);
  });

  it('tells that a mapping is needed, and how to name one', () => {
    expect(() => loadConfig({ environment: {} })).toThrow('--map /images/=https://www.example.com/images/');
  });
});

describe('the file', () => {
  it('is named when it cannot be read', () => {
    const directory = temporaryDirectory();
    for (const file of [join(directory, 'none.yaml'), directory]) {
      expect(() => loadConfig({ environment: {}, file })).toThrow(`${file}: cannot be read (`);
    }
  });

  it('is refused when it is not UTF-8 or is huge', () => {
    const file = join(temporaryDirectory(), 'lazyferry.yaml');
    writeFileSync(file, Buffer.from([0x61, 0x3a, 0xff]));
    expect(() => loadConfig({ environment: {}, file })).toThrow('is not UTF-8 text');
    writeFileSync(file, '#'.repeat(1_000_001));
    expect(() => loadConfig({ environment: {}, file })).toThrow('is larger than 1 MB');
  });

  it.each([
    ['', 'mappings: is missing'],
    ['# nothing\n', 'mappings: is missing'],
    ['- a\n', 'is not a mapping'],
    ['just text', 'is not a mapping'],
    ['mappings:\n\t- a\n', 'indent with spaces'],
    ['a: [1', ''],
    ['a: 1\n---\nb: 2\n', 'one file holds one configuration'],
    ['a: !thing 1', 'remove the tag'],
    ['a: *b', 'in quotes'],
    ['? [a]\n: 1', 'has a key that is not a text'],
    ['log: {}\nlog: {}\n', 'log: is written twice'],
    ['1: a\n"1": b\n', '["1"]: is written twice'],
    ['log: { level: ${LEVEL} }', 'put ${NAME} in quotes'],
  ])('that holds %j gets one clear error', (source, message) => {
    expect(problemsOf(source)).toHaveLength(1);
    expect(complaintsAbout(source)[0]).toContain(message);
  });

  it('is refused when aliases blow it up (billion laughs) or an anchor holds itself', () => {
    const laughs = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let level = 1; level < 12; level += 1) laughs.push(`a${level}: &a${level} [${`*a${level - 1}, `.repeat(10)}]`);
    expect(complaintsAbout(laughs.join('\n'))).toEqual([expect.stringContaining('is too large or too deep')]);
    expect(complaintsAbout('a: &a [*a]')).toEqual([expect.stringContaining('is too large or too deep')]);
  });

  it('is refused when it is nested beyond reason', () => {
    for (const depth of [40, 10_000]) {
      expect(complaintsAbout('['.repeat(depth) + ']'.repeat(depth))).toEqual([expect.stringContaining('too deep')]);
    }
  });

  it('never shows the text it stumbles over', () => {
    const source = withMapping('auth: { kind: basic, username: u, password: "hunter2", { "hunter2" ');
    expect(problemsOf(source)).not.toEqual([]);
    expect(complaintsAbout(source).join('\n')).not.toContain('hunter2');
  });
});

describe('variables', () => {
  it('that are missing are named, with the ways out', () => {
    expect(complaintsAbout(withMapping('cold: ${COLD}'))).toEqual([
      'mappings[0].cold: the variable COLD is not set — set COLD or COLD_FILE, or write ${COLD:-default}',
    ]);
  });

  it.each(['${', 'a${1}', '${A-b}', '${A:-${B}}', '${ A }'])('must be written right: %j', (text) => {
    expect(complaintsAbout(withMapping(`folder: '${text}'`))[0]).toContain('holds a ${ that begins no variable');
  });

  it('may not be given twice, as NAME and as NAME_FILE', () => {
    const environment = { COLD: 'wait', COLD_FILE: '/etc/hostname' };
    expect(complaintsAbout(withMapping('cold: ${COLD}'), { environment })[0]).toContain(
      'both COLD and COLD_FILE are set — unset one of the two',
    );
  });

  it('whose file cannot be read are named with the file', () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, 'secret'));
    const environment = { COLD_FILE: join(directory, 'secret'), REDIS_URL_FILE: join(directory, 'none') };
    expect(complaintsAbout(withMapping('cold: ${COLD}'), { environment })).toEqual([
      expect.stringContaining(`${directory}/none, named by REDIS_URL_FILE, cannot be read (ENOENT)`),
      expect.stringContaining(`${directory}/secret, named by COLD_FILE, cannot be read (EISDIR)`),
    ]);
  });

  it('that hold nonsense are named without what they hold', () => {
    const environment = { REDIS_URL: 'localhost:hunter2', LAZYFERRY_ADMIN_TOKEN: 'hunter2', COLD: 'hunter2' };
    const problems = problemsOf(withMapping('cold: ${COLD}'), { environment });
    expect(problems.map(({ file, key }) => [file, key])).toContainEqual(['environment', 'REDIS_URL']);
    expect(problems.map(({ key }) => key)).toEqual(['REDIS_URL', 'LAZYFERRY_ADMIN_TOKEN', 'mappings[0].cold']);
    expect(problems.map(formatProblem).join('\n')).not.toContain('hunter2');
    expect(problems.map(formatProblem).join('\n')).toContain('"${COLD}" is not one of');
  });
});

describe('a secret from the environment', () => {
  it.each([
    ['auth: { kind: bearer, token: "${S}" }', 'token', 'hunter2\nX-Evil: 1'],
    ['auth: { kind: bearer, token: "${S}" }', 'token', ''],
    ['auth: { kind: header, name: X-Key, value: "${S}" }', 'value', 'hunter2\r\n'],
  ])('that no header may hold is refused and not repeated: %s', (lines, key, secret) => {
    expect(complaintsAbout(withMapping(lines), { environment: { S: secret } })).toEqual([
      expect.stringMatching(`^mappings\\[0\\]\\.auth\\.${key}: the value is empty or holds what no header may hold`),
    ]);
  });

  it.each(['redis://:hunter2/x@redis:6379', 'redis://:hunter2#x@redis:6379', 'redis://:hunter2?x@redis:6379'])(
    'that is not percent-encoded in a URL is refused and not repeated: %s',
    (url) => {
      const complaints = complaintsAbout(withMapping(''), { environment: { REDIS_URL: url } });
      expect(complaints).toEqual([expect.stringContaining('holds a password that is not percent-encoded')]);
      expect(complaints[0]).not.toContain('hunter2');
    },
  );
});

describe('--map', () => {
  it.each(['images', '/images/', '/images/=www.example.com', ''])('refuses %j and shows how to write it', (map) => {
    expect(() => loadConfig({ environment: {}, maps: [map] })).toThrow(
      'is not a mapping — write PREFIX=URL, such as /images/=https://www.example.com/images/',
    );
  });

  it('names every argument that is wrong', () => {
    expect(() => loadConfig({ environment: {}, maps: ['one', '/a/=https://a.example/', 'two'] })).toThrow(
      /^--map one: is not a mapping.*\n--map two: is not a mapping.*$/,
    );
  });

  it('is named as the source of a problem, without a password', () => {
    const maps = ['/a b/=https://user:hunter2@www.example.com/'];
    try {
      loadConfig({ environment: {}, maps });
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      expect((error as ConfigError).message).toContain('--map /a b/=https://[redacted]@www.example.com/ prefix:');
      expect((error as ConfigError).message).not.toContain('hunter2');
    }
  });
});

describe('a secret typed into the file', () => {
  const canary = 'hunter2-canary';

  it.each([
    ['mappings[0].auth.password', `auth: { kind: basic, username: u, password: ${canary} }`],
    ['mappings[0].auth.password', `auth: { kind: basic, username: u, password: "\${A:-${canary}}" }`],
    ['mappings[0].auth.password', `auth: { kind: basic, username: u, password: "$\${${canary}}" }`],
    ['mappings[0].auth.password', `auth: { kind: basic, username: u, password: 12345 }`],
    ['mappings[0].auth.token', `auth: { kind: bearer, token: ${canary} }`],
    ['mappings[0].auth.value', `auth: { kind: header, name: X-Key, value: Token ${canary} }`],
    ['mappings[0].auth.secretAccessKey', `auth: { kind: s3, accessKeyId: a, secretAccessKey: ${canary} }`],
    ['mappings[0].signedDelivery.keys[0]', `signedDelivery: { keys: [${canary}-that-is-long-enough-to-sign] }`],
    ['mappings[0].origin', `origin: https://u:${canary}@www.example.com/`],
    ['mappings[0].upload.notificationUrl', `upload: { notificationUrl: "https://${canary}@hooks.example.com/" }`],
  ])('as %s is refused and not repeated: %s', (key, lines) => {
    const source = lines.startsWith('origin') ? `mappings:\n  - prefix: /images/\n    ${lines}\n` : withMapping(lines);
    const problem = problemsOf(source, { environment: { A: 'x' } }).find((one) => one.key === key);
    expect(problem?.message).toBe('a secret is never written into the file');
    expect(complaintsAbout(source).join('\n')).not.toContain(canary);
  });

  it.each([
    ['store.url', `store: { url: "cloudinary://key:${canary}@demo" }`, 'write ${CLOUDINARY_URL}'],
    ['store.url', `store: { url: "cloudinary://demo?oauth_token=${canary}" }`, 'write ${CLOUDINARY_URL}'],
    ['ledger.url', `ledger: { url: "redis://:${canary}@redis:6379" }`, 'write ${REDIS_URL}'],
    ['ledger.url', `ledger: { url: "redis+sentinel://a:1,b:2/m?sentinelPassword=${canary}" }`, 'write ${REDIS_URL}'],
    ['admin.token', `admin: { token: ${canary}-long-enough }`, 'write ${NAME}'],
  ])('as %s is refused with the mend: %s', (key, section, mend) => {
    const [problem, ...others] = problemsOf(withMapping('', section));
    expect(problem).toMatchObject({ key, mend: expect.stringContaining(mend) });
    expect(others).toEqual([]);
    expect(complaintsAbout(withMapping('', section)).join('\n')).not.toContain(canary);
  });

  it('is not repeated where it stands in the wrong place', () => {
    for (const lines of [`auth: ${canary}`, `auth: [${canary}]`, `auth: { kind: bearer, token: [${canary}] }`]) {
      const complaints = complaintsAbout(withMapping(lines));
      expect(complaints).toHaveLength(1);
      expect(complaints[0]).not.toContain(canary);
    }
  });

  it('is told from metadata that only has such a name', () => {
    const source = withMapping('upload: { context: { token: of appreciation } }');
    expect(load(source).config.mappings[0]?.upload.context).toEqual({ token: 'of appreciation' });
  });

  it('is accepted from the environment, also as a part of a URL or a header value', () => {
    const source = withMapping(
      'auth: { kind: header, name: X-Key, value: "Token ${T}" }',
      'store: { url: "cloudinary://key:${S}@demo" }\nledger: { url: "redis://user:${S}@redis:6379" }',
    );
    const { config } = load(source, { environment: { T: 't', S: 's' } });
    expect(config.store.url).toBe('cloudinary://key:s@demo');
    expect(config.mappings[0]?.auth).toMatchObject({ value: 'Token t' });
  });
});
