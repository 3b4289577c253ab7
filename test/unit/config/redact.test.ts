import { describe, expect, it } from 'vitest';
import { createRedactor, redactConfig, secretsOf } from '../../../src/config/redact.ts';
import { load } from '../../support/config-file.ts';

const canaries = {
  CLOUDINARY_URL: 'cloudinary://api-key:canary-store@demo',
  REDIS_URL: 'rediss://user:canary%2Fredis@redis.example.com:6379',
  LAZYFERRY_ADMIN_TOKEN: 'canary-admin-token',
  LAZYFERRY_ADMIN_READ_TOKEN: 'canary-read-token',
  BASIC: 'canary "basic"',
  BEARER: 'canary-bearer',
  HEADER: 'canary-header',
  S3: 'canary/s3',
};

const source = `
mappings:
  - { prefix: /a/, origin: "https://a.example/", auth: { kind: basic, username: reader, password: "\${BASIC}" } }
  - { prefix: /b/, origin: "https://b.example/", auth: { kind: bearer, token: "\${BEARER}" } }
  - { prefix: /c/, origin: "https://c.example/", auth: { kind: header, name: X-Key, value: "Token \${HEADER}" } }
  - { prefix: /d/, origin: "s3://bucket/", auth: { kind: s3, accessKeyId: AKIA, secretAccessKey: "\${S3}" } }
`;
const config = () => load(source, { environment: canaries }).config;

describe('a configuration that is shown', () => {
  it('holds none of its secrets', () => {
    expect(JSON.stringify(redactConfig(config()))).not.toContain('canary');
  });

  it('still tells what is configured', () => {
    expect(redactConfig(config())).toMatchObject({
      store: { url: 'cloudinary://api-key:[redacted]@demo' },
      ledger: { url: 'rediss://user:[redacted]@redis.example.com:6379' },
      mappings: [
        { origin: 'https://a.example/', auth: { kind: 'basic', username: 'reader', password: '[redacted]' } },
        { auth: { token: '[redacted]' } },
        { auth: { name: 'X-Key', value: '[redacted]' } },
        { auth: { accessKeyId: 'AKIA', secretAccessKey: '[redacted]' } },
      ],
    });
  });
});

describe('the secrets of a configuration', () => {
  it('are all of them, in each form in which they travel', () => {
    expect(secretsOf(config())).toEqual(
      expect.arrayContaining([
        'canary-store',
        'canary%2Fredis',
        'canary/redis',
        'canary-admin-token',
        'canary-read-token',
        'canary "basic"',
        'canary \\"basic\\"',
        'canary%20%22basic%22',
        'canary-bearer',
        'Token canary-header',
        'canary-header',
        'canary/s3',
        'canary%2Fs3',
        Buffer.from('reader:canary "basic"').toString('base64'),
        Buffer.from('api-key:canary-store').toString('base64'),
      ]),
    );
  });

  it('are none where there are none', () => {
    const { config } = load('mappings: [{ prefix: /a/, origin: "https://a.example/" }]');
    expect(secretsOf(config)).toEqual([]);
    expect(createRedactor(config)('plain text')).toBe('plain text');
  });
});

describe('a text that is logged', () => {
  it.each([
    ['Authorization: Bearer canary-bearer', 'Authorization: Bearer [redacted]'],
    ['X-Key: Token canary-header, again canary-header', 'X-Key: [redacted], again [redacted]'],
    ['connect rediss://user:canary%2Fredis@redis.example.com', 'connect rediss://user:[redacted]@redis.example.com'],
    ['{"password":"canary \\"basic\\""}', '{"password":"[redacted]"}'],
    ['?key=canary%2Fs3&x=1', '?key=[redacted]&x=1'],
    [
      'of another system: https://u:p@host/ and https://token@host/',
      'of another system: https://u:[redacted]@host/ and https://[redacted]@host/',
    ],
    ['mail a@b.example, 10:30', 'mail a@b.example, 10:30'],
  ])('loses its secrets and nothing else: %s', (text, expected) => {
    expect(createRedactor(config())(text)).toBe(expected);
  });
});
