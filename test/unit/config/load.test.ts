import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { load, temporaryDirectory, withMapping, writeConfig } from '../../support/config-file.ts';

const minimal = withMapping('');

describe('loading a configuration', () => {
  it('fills in every default of a two-line mapping', () => {
    const { config, warnings } = load(minimal);
    expect(config.listen).toEqual({
      delivery: { host: '127.0.0.1', port: 8080 },
      admin: { host: '127.0.0.1', port: 9090 },
      maxConnections: 20_000,
      trustedProxies: [],
    });
    expect(config.mappings[0]).toMatchObject({
      folder: 'images',
      cold: 'passthrough',
      warm: 'redirect',
      redirectStatus: 302,
      waitBudget: 10_000,
      allow: { maxBytes: 2e9 },
      upload: { via: 'auto', overwrite: false },
      network: { allowPrivate: false },
      auth: null,
    });
    expect(warnings).toEqual([]);
  });

  it('freezes the result to the last list', () => {
    const { config } = load(minimal);
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.mappings)).toBe(true);
    expect(Object.isFrozen(config.mappings[0]?.allow.types)).toBe(true);
  });

  it('takes the prefix without its outer slashes as the folder, and none for the root', () => {
    const { config } = load(
      'mappings:\n  - { prefix: /, origin: "http://a.example" }\n  - { prefix: /a/b/, origin: "http://b.example" }\n',
    );
    expect(config.mappings.map(({ folder }) => folder)).toEqual(['', 'a/b']);
  });

  it('ends each origin with a slash', () => {
    expect(load(minimal.replace('example.com/', 'example.com/static')).config.mappings[0]?.origin).toBe(
      'https://www.example.com/static/',
    );
  });
});

describe('the configuration that the design shows', () => {
  it('loads as it stands, with the embedded store while there is no account', () => {
    const { config } = load(`
listen: { delivery: 127.0.0.1:8080, admin: 127.0.0.1:9090 }
store:
  url: \${CLOUDINARY_URL}
  embedded: { listen: 127.0.0.1:8090, dir: ./data/store }
ledger: { url: "sqlite:./data/ledger.db" }
mappings:
  - prefix: /images/
    origin: https://www.example.com/static/images/
    folder: site/images
    resourceType: auto
    cold: passthrough
    warm: redirect
    transformation: f_auto,q_auto
    query: ignore
    upload: { via: auto, type: upload, preset: null, tags: [], overwrite: false }
    allow: { types: ["image/*", "video/*"], maxBytes: 2GB }
    network: { allowPrivate: false }
    auth: null
`);
    expect(config.store).toMatchObject({ embedded: { dir: './data/store' } });
    expect(config.store.url).toBeUndefined();
    expect(config.ledger.url).toBe('sqlite:./data/ledger.db');
    expect(config.mappings[0]).toMatchObject({ folder: 'site/images', transformation: 'f_auto,q_auto' });
  });
});

describe('where state is kept', () => {
  it('is ./data unless told', () => {
    const { config } = load(minimal);
    expect(config.dataDirectory).toBe(resolve('data'));
    expect(config.ledger.url).toBe(`sqlite:${resolve('data')}/ledger.db`);
    expect(config.store.embedded.dir).toBe(resolve('data/store'));
    expect(config.store.url).toBeUndefined();
  });

  it('is LAZYFERRY_DATA, and the option before it', () => {
    const environment = { LAZYFERRY_DATA: '/var/lib/lazyferry' };
    expect(load(minimal, { environment }).config.ledger.url).toBe('sqlite:/var/lib/lazyferry/ledger.db');
    expect(load(minimal, { environment, dataDirectory: '/srv' }).config.store.embedded.dir).toBe('/srv/store');
  });

  it('is Redis and Cloudinary where the ecosystem’s variables say so', () => {
    const environment = { REDIS_URL: 'redis://127.0.0.1:6379', CLOUDINARY_URL: 'cloudinary://1:s@demo' };
    const { config } = load(minimal, { environment });
    expect(config.ledger.url).toBe('redis://127.0.0.1:6379');
    expect(config.store.url).toBe('cloudinary://1:s@demo');
  });

  it('is what the file says, whatever the variables are', () => {
    const environment = { REDIS_URL: 'redis://127.0.0.1:6379' };
    const source = withMapping('', 'ledger: { url: "sqlite:/tmp/with space/l.db" }\nstore: { embedded: { dir: /x } }');
    const { config } = load(source, { environment });
    expect(config.ledger.url).toBe('sqlite:/tmp/with space/l.db');
    expect(config.store.embedded.dir).toBe('/x');
  });

  it('treats an empty variable as none', () => {
    const environment = { REDIS_URL: '', CLOUDINARY_URL: '', LAZYFERRY_CONFIG: '', LAZYFERRY_DATA: '' };
    expect(load(minimal, { environment }).config.store.url).toBeUndefined();
  });
});

describe('which file is read', () => {
  it('is the one of LAZYFERRY_CONFIG where none is named', () => {
    const file = writeConfig(minimal);
    const loaded = loadConfig({ environment: { LAZYFERRY_CONFIG: file } });
    expect(loaded.file).toBe(file);
    expect(loaded.config.mappings).toHaveLength(1);
  });

  it('is the named one before LAZYFERRY_CONFIG', () => {
    expect(load(minimal, { environment: { LAZYFERRY_CONFIG: '/nonexistent' } }).config.mappings).toHaveLength(1);
  });

  it('is none at all with --map', () => {
    const { config, file } = loadConfig({ environment: {}, maps: ['/images/=https://www.example.com/images/'] });
    expect(file).toBeUndefined();
    expect(config.mappings[0]).toMatchObject({ prefix: '/images/', origin: 'https://www.example.com/images/' });
  });
});

describe('--map', () => {
  const mapped = (map: string) => loadConfig({ environment: {}, maps: [map] }).config.mappings[0];

  it('adds to the mappings of the file', () => {
    const { config } = load(minimal, { maps: ['/video/=https://video.example.com/'] });
    expect(config.mappings.map(({ prefix }) => prefix)).toEqual(['/images/', '/video/']);
  });

  it('puts missing slashes where they belong', () => {
    expect(mapped('images=https://www.example.com')).toMatchObject({
      prefix: '/images/',
      origin: 'https://www.example.com/',
    });
    expect(mapped('/=https://www.example.com')?.prefix).toBe('/');
  });

  it.each(['localhost:3000', '127.0.0.1', '10.1.2.3', '192.168.0.9:81', '172.31.0.1', '[::1]:3000', '[fd00::1]'])(
    'allows the private origin %s, because somebody typed it himself',
    (host) => expect(mapped(`/images/=http://${host}/`)?.network.allowPrivate).toBe(true),
  );

  it.each(['www.example.com', '8.8.8.8', '172.32.0.1', '169.254.169.254', '[2001:db8::1]', 'localhost.example.com'])(
    'opens no private network for %s',
    (host) => expect(mapped(`/images/=http://${host}/`)?.network.allowPrivate).toBe(false),
  );

  it('keeps an equals sign of the prefix', () => {
    expect(mapped('/a=b/=https://www.example.com/')?.prefix).toBe('/a=b/');
  });
});

describe('defaults of a command', () => {
  it('fill in what neither file nor variable says, key by key', () => {
    const defaults = { listen: { delivery: '0.0.0.0:80', admin: '127.0.0.1:1' } };
    const { config } = load(withMapping('', 'listen: { admin: "127.0.0.1:2" }'), { defaults });
    expect(config.listen.delivery).toEqual({ host: '0.0.0.0', port: 80 });
    expect(config.listen.admin.port).toBe(2);
  });

  it('bring mappings only where there are none', () => {
    const defaults = { mappings: [{ prefix: '/sample/', origin: 'http://127.0.0.1:3000/' }] };
    expect(loadConfig({ environment: {}, defaults }).config.mappings[0]?.prefix).toBe('/sample/');
    expect(load(minimal, { defaults }).config.mappings.map(({ prefix }) => prefix)).toEqual(['/images/']);
  });

  it('come after the variables for the listeners', () => {
    const environment = { LAZYFERRY_LISTEN: '0.0.0.0:8080', LAZYFERRY_ADMIN_LISTEN: '[::1]:9091' };
    const { config } = load(minimal, { environment, defaults: { listen: { delivery: '127.0.0.1:1' } } });
    expect(config.listen.delivery.host).toBe('0.0.0.0');
    expect(config.listen.admin).toEqual({ host: '::1', port: 9091 });
  });
});

describe('the environment in the file', () => {
  const password = 'auth: { kind: basic, username: reader, password: "${PASS}" }';

  it('replaces ${NAME} wherever it stands in a value', () => {
    const source = withMapping('folder: site/${STAGE}\nupload: { tags: ["a-${STAGE}-${STAGE}"] }');
    const mapping = load(source, { environment: { STAGE: 'live' } }).config.mappings[0];
    expect(mapping?.folder).toBe('site/live');
    expect(mapping?.upload.tags).toEqual(['a-live-live']);
  });

  it('takes the text after :- where the variable is not set or empty', () => {
    const source = withMapping('folder: ${FOLDER:-site}');
    expect(load(source).config.mappings[0]?.folder).toBe('site');
    expect(load(source, { environment: { FOLDER: '' } }).config.mappings[0]?.folder).toBe('site');
    expect(load(source, { environment: { FOLDER: 'other' } }).config.mappings[0]?.folder).toBe('other');
  });

  it('leaves an option out when ${NAME:-} comes out empty', () => {
    expect(load(withMapping('cold: ${COLD:-}')).config.mappings[0]?.cold).toBe('passthrough');
  });

  it('writes $${ as ${', () => {
    const source = withMapping('upload: { context: { note: "$${NAME}" } }');
    expect(load(source).config.mappings[0]?.upload.context).toEqual({ note: '${NAME}' });
  });

  it('reads numbers and true and false where the option is one', () => {
    const source = withMapping(
      'redirectStatus: ${STATUS}\nnetwork: { allowPrivate: "${PRIVATE}" }\nallow: { maxBytes: "${BYTES}" }\nwaitBudget: ${WAIT}',
      'store: { uploads: "${UPLOADS}" }',
    );
    const environment = { STATUS: '307', PRIVATE: 'true', BYTES: '1000', WAIT: '5s', UPLOADS: '3' };
    const { config } = load(source, { environment });
    expect(config.store.uploads).toBe(3);
    expect(config.mappings[0]).toMatchObject({
      redirectStatus: 307,
      waitBudget: 5_000,
      network: { allowPrivate: true },
      allow: { maxBytes: 1_000 },
    });
  });

  it('keeps a password of digits a text', () => {
    const auth = load(withMapping(password), { environment: { PASS: '12345' } }).config.mappings[0]?.auth;
    expect(auth).toMatchObject({ password: '12345' });
  });

  it('does not read a variable’s own ${…}', () => {
    const auth = load(withMapping(password), { environment: { PASS: '${HOME}' } }).config.mappings[0]?.auth;
    expect(auth).toMatchObject({ password: '${HOME}' });
  });

  it('reads the file that NAME_FILE names, without its last line break', () => {
    const secret = join(temporaryDirectory(), 'secret');
    writeFileSync(secret, ' pass word \n');
    const auth = load(withMapping(password), { environment: { PASS_FILE: secret } }).config.mappings[0]?.auth;
    expect(auth).toMatchObject({ password: ' pass word ' });
  });

  it('reads CLOUDINARY_URL_FILE and REDIS_URL_FILE', () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, 'cloudinary'), 'cloudinary://1:s@demo\n');
    writeFileSync(join(directory, 'redis'), 'redis://:s@redis:6379\n');
    const environment = {
      CLOUDINARY_URL_FILE: join(directory, 'cloudinary'),
      REDIS_URL_FILE: join(directory, 'redis'),
    };
    const { config } = load(minimal, { environment });
    expect(config.store.url).toBe('cloudinary://1:s@demo');
    expect(config.ledger.url).toBe('redis://:s@redis:6379');
  });

  it('uses the default, with a warning, where the option names its own variable and that is not set', () => {
    const { config, warnings } = load(withMapping('', 'store:\n  url: ${CLOUDINARY_URL}'));
    expect(config.store.url).toBeUndefined();
    expect(warnings).toMatchObject([
      { key: 'store', line: 1, message: 'CLOUDINARY_URL is not set: the default of url is used' },
    ]);
  });
});

describe('YAML', () => {
  it('may share settings by anchors', () => {
    const source = [
      'mappings:',
      '  - { prefix: /a/, origin: "https://a.example/", allow: &small { maxBytes: 1MB } }',
      '  - { prefix: /b/, origin: "https://b.example/", allow: *small }',
    ].join('\n');
    expect(load(source).config.mappings.map(({ allow }) => allow.maxBytes)).toEqual([1e6, 1e6]);
  });

  it('may begin with a byte order mark and have Windows line ends', () => {
    expect(load(`\uFEFF${minimal.trimStart().replaceAll('\n', '\r\n')}`).config.mappings).toHaveLength(1);
  });
});
