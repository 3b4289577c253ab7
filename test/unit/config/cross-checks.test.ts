import { describe, expect, it } from 'vitest';
import { complaintsAbout, load, withMapping } from '../../support/config-file.ts';

/** A configuration of mappings `prefix → folder`; without a folder where it is undefined. */
function mappings(...pairs: readonly (readonly [prefix: string, folder?: string])[]): string {
  const lines = pairs.map(([prefix, folder]) => {
    const named = folder === undefined ? '' : `, folder: "${folder}"`;
    return `  - { prefix: "${prefix}", origin: "https://www.example.com/"${named} }`;
  });
  return `mappings:\n${lines.join('\n')}\n`;
}

describe('two mappings', () => {
  it.each([
    ['of one folder', ['/a/', 'site'], ['/b/', 'site']],
    ['of a folder within the other’s', ['/a/', 'site'], ['/b/', 'site/images']],
    ['of a folder around the other’s', ['/a/', 'site/images'], ['/b/', 'site']],
    ['one without a folder, which holds all others', ['/', ''], ['/pictures/', 'images']],
    ['whose prefixes nest and whose folders are equal', ['/a/', 'site'], ['/a/b/', 'site']],
    ['whose folders nest otherwise than the prefixes', ['/a/', 'site'], ['/a/b/', 'site/c']],
    ['whose folders nest the other way round', ['/a/b/', 'site'], ['/a/', 'site/b']],
    ['of one folder by default and by name', ['/a/'], ['/b/', 'a']],
  ] as const)('%s are refused: two files could share a public ID', (_, one, other) => {
    expect(complaintsAbout(mappings(one, other))).toEqual([
      expect.stringMatching(
        /^mappings\[1\]\.folder: two files could get one public ID: .* overlaps that of mappings\[0\]/,
      ),
    ]);
  });

  it.each([
    ['of different folders', ['/a/', 'site'], ['/b/', 'shop']],
    ['of folders that only begin alike', ['/a/', 'site'], ['/b/', 'site-two']],
    ['whose folders go on as their prefixes do', ['/a/', 'site'], ['/a/b/c/', 'site/b/c']],
    ['the same in the other order', ['/a/b/', 'site/b'], ['/a/', 'site']],
    ['the root and what lies below it, both by default', ['/'], ['/images/']],
    ['by default, nested', ['/images/'], ['/images/large/']],
  ] as const)('%s are fine', (_, one, other) => {
    expect(load(mappings(one, other)).config.mappings).toHaveLength(2);
  });

  it('of one prefix are refused', () => {
    expect(complaintsAbout(mappings(['/a/', 'x'], ['/a/', 'y']))).toEqual([
      'mappings[1].prefix: /a/ is also the prefix of mappings[0] (/a/) — keep one of the two',
    ]);
  });

  it('are checked against each other even when a third one is wrong', () => {
    expect(complaintsAbout(mappings(['/a/', 'x'], ['bad'], ['/a/', 'y']))).toEqual([
      expect.stringContaining('mappings[1].prefix: "bad" is not a prefix'),
      expect.stringContaining('mappings[2].prefix: /a/ is also the prefix of mappings[0]'),
    ]);
  });

  it('of the file and of --map are checked together', () => {
    const [complaint] = complaintsAbout(mappings(['/a/', 'x']), { maps: ['/a/=https://b.example/'] });
    expect(complaint).toContain('prefix: /a/ is also the prefix of mappings[0] (/a/)');
  });
});

describe('a prefix that makes no folder', () => {
  it.each(['/a+b/', '/a&b/', '/v12/', '/a/v1/b/'])('needs one by name: %s', (prefix) => {
    expect(complaintsAbout(mappings([prefix]))).toEqual([
      `mappings[0].folder: the prefix ${prefix} makes no folder — name a folder for it, such as site/images`,
    ]);
    expect(load(mappings([prefix, 'site'])).config.mappings[0]?.folder).toBe('site');
  });
});

describe('listeners', () => {
  it.each([
    ['listen: { delivery: "127.0.0.1:9090" }', 'listen.admin: takes the same address as listen.delivery'],
    ['listen: { delivery: "0.0.0.0:9090" }', 'listen.admin: takes the same address as listen.delivery'],
    ['listen: { delivery: "[::]:9090" }', 'listen.admin: takes the same address as listen.delivery'],
    ['listen: { delivery: "localhost:9090" }', 'listen.admin: takes the same address as listen.delivery'],
    ['listen: { admin: "127.0.0.1:8090" }', 'store.embedded.listen: takes the same address as listen.admin'],
  ])('that take each other’s port are refused: %s', (section, complaint) => {
    expect(complaintsAbout(withMapping('', section))).toEqual([`${complaint} — give each listener a port of its own`]);
  });

  it.each(['listen: { delivery: "127.0.0.1:0", admin: "127.0.0.1:0" }', 'listen: { delivery: "127.0.0.2:9090" }'])(
    'that do not are fine: %s',
    (section) => {
      expect(load(withMapping('', section)).config.mappings).toHaveLength(1);
    },
  );

  it('leave the embedded store’s port free where an account is configured', () => {
    const environment = { CLOUDINARY_URL: 'cloudinary://1:s@demo' };
    expect(load(withMapping('', 'listen: { admin: "127.0.0.1:8090" }'), { environment }).config.listen.admin.port).toBe(
      8090,
    );
  });
});

describe('credentials', () => {
  it('of S3 fit a bucket only, and a bucket takes no others', () => {
    const environment = { S: 'secret' };
    const keys = 'auth: { kind: s3, accessKeyId: a, secretAccessKey: "${S}" }';
    expect(complaintsAbout(withMapping(keys), { environment })).toEqual([
      'mappings[0].auth.kind: s3 keys sign requests to a bucket only — write the origin as s3://bucket/path/',
    ]);
    const bearer = 'mappings: [{ prefix: /a/, origin: "s3://bucket/a", auth: { kind: bearer, token: "${S}" } }]';
    expect(complaintsAbout(bearer, { environment })).toEqual([
      'mappings[0].auth.kind: a bucket knows no bearer credentials — write kind: s3 with its keys',
    ]);
  });
});

describe('what is legal but doubtful', () => {
  const environment = { S: 'secret', CLOUDINARY_URL: 'cloudinary://1:s@demo' };
  const warningsOf = (source: string) =>
    load(source, { environment }).warnings.map(({ key, line, message }) => `${line} ${key}: ${message}`);

  it.each([
    ['redirectStatus: 301', '5 mappings[0].redirectStatus: browsers keep a permanent redirect: there is no way back'],
    ['query: key', '5 mappings[0].query: each different query makes an upload of its own'],
    ['upload: { overwrite: true }', '5 mappings[0].upload.overwrite: replaces what the account already holds'],
    [
      'auth: { kind: bearer, token: "${S}" }\nupload: { via: remote-url }',
      '6 mappings[0].upload.via: the store is never given the credentials of the origin',
    ],
  ])('is a warning with its place: %s', (lines, warning) => {
    expect(warningsOf(withMapping(lines))).toEqual([warning]);
  });

  it.each([
    ['http://10.0.0.1/', 'origin: lies in a private network and will be refused'],
    [
      'http://www.example.com/", auth: { kind: bearer, token: "${S}" }, folder: "x',
      'auth: the credentials go to the origin in the clear',
    ],
    [
      'http://localhost/", network: { allowPrivate: true }, upload: { via: remote-url }, folder: "x',
      'upload.via: the store cannot reach a private origin',
    ],
  ])('is a warning for the origin %s', (origin, warning) => {
    expect(warningsOf(`mappings: [{ prefix: /a/, origin: "${origin}" }]`)).toEqual([`1 mappings[0].${warning}`]);
  });

  it('includes Redis over a public network without TLS', () => {
    const warnings = (url: string) => warningsOf(withMapping('', `ledger: { url: "${url}" }`));
    expect(warnings('redis://8.8.8.8:6379')).toEqual(['1 ledger.url: Redis is reached without TLS']);
    expect(warnings('redis://10.0.0.8:6379')).toEqual([]);
    expect(warnings('rediss://8.8.8.8:6379')).toEqual([]);
  });

  it.each([
    [
      'store: { uploadPrefix: "http://api.example.com" }',
      '1 store.uploadPrefix: the API secret goes to the store in the clear',
    ],
    [
      'store: { uploadPrefix: "http://10.0.0.8:8090" }',
      '1 store.uploadPrefix: the API secret goes to the store in the clear',
    ],
    [
      'listen: { trustedProxies: ["0.0.0.0/0"] }',
      '1 listen.trustedProxies[0]: nearly everybody is taken for a proxy, and may say who the client is',
    ],
    [
      'listen: { trustedProxies: [loopback, "::/0"] }',
      '1 listen.trustedProxies[1]: nearly everybody is taken for a proxy, and may say who the client is',
    ],
    [
      'admin: { hosts: [admin.example.com] }',
      '1 admin.hosts: whoever reaches the admin side by these names may change everything',
    ],
  ])('is a warning, not a hole in silence: %s', (line, warning) => {
    expect(warningsOf(withMapping('', line))).toEqual([warning]);
  });

  it('of what is narrow enough says nothing', () => {
    const quiet = [
      'store: { uploadPrefix: "http://127.0.0.1:8090" }',
      'store: { uploadPrefix: "https://api-eu.cloudinary.com" }',
      'listen: { trustedProxies: ["10.0.0.0/8", loopback] }',
    ];
    for (const line of quiet) expect(warningsOf(withMapping('', line)), line).toEqual([]);
    const source = withMapping('', 'admin: { hosts: [admin.example.com] }');
    const guarded = load(source, { environment: { ...environment, LAZYFERRY_ADMIN_TOKEN: 'a'.repeat(32) } });
    expect(guarded.warnings).toEqual([]);
    const store = 'cloudinary://key:secret@cloud?upload_prefix=http://api.example.com';
    const told = load(withMapping(''), { environment: { ...environment, CLOUDINARY_URL: store } }).warnings;
    expect(told.map(({ key }) => key)).toEqual(['CLOUDINARY_URL']);
    expect(JSON.stringify(told)).not.toContain('secret@');
  });
});
