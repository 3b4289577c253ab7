import { describe, expect, it } from 'vitest';
import { apiHost, InvalidCloudinaryUrl, parseCloudinaryUrl } from '../../../src/store/cloudinary/cloudinary-url.ts';

describe('CLOUDINARY_URL', () => {
  it('gives key, secret and cloud, and Cloudinary’s own hosts and signatures by default', () => {
    expect(parseCloudinaryUrl('cloudinary://123:s-e_cret@Demo-1')).toEqual({
      cloudName: 'Demo-1',
      apiKey: '123',
      apiSecret: 's-e_cret',
      uploadPrefix: 'https://api.cloudinary.com',
      signatureAlgorithm: 'sha1',
      signatureVersion: 2,
      longUrlSignature: false,
      secure: true,
      privateCdn: false,
    });
  });

  it.each([
    ['scheme in capitals', 'CLOUDINARY://1:2@demo', { apiKey: '1', apiSecret: '2' }],
    ['spaces around', ' cloudinary://1:2@demo\n', { cloudName: 'demo' }],
    [
      'a private CDN by its path',
      'cloudinary://1:2@demo/media.example.com',
      { privateCdn: true, secureDistribution: 'media.example.com' },
    ],
    ['a slash at the end', 'cloudinary://1:2@demo/', { privateCdn: false }],
    ['a private CDN by its key', 'cloudinary://1:2@demo?private_cdn=true', { privateCdn: true }],
    [
      'a shared host of one’s own',
      'cloudinary://1:2@demo?secure_distribution=cdn.example.com',
      { privateCdn: false, secureDistribution: 'cdn.example.com' },
    ],
    [
      'false that means false',
      'cloudinary://1:2@demo?secure=false&private_cdn=false&cname=cdn.example.com',
      { secure: false, privateCdn: false, cname: 'cdn.example.com' },
    ],
    [
      'another region',
      'cloudinary://1:2@demo?upload_prefix=https://api-eu.cloudinary.com',
      { uploadPrefix: 'https://api-eu.cloudinary.com' },
    ],
    [
      'a local server',
      'cloudinary://1:2@demo?upload_prefix=http://127.0.0.1:8090/',
      { uploadPrefix: 'http://127.0.0.1:8090' },
    ],
    [
      'SHA-256 and version 1',
      'cloudinary://1:2@demo?signature_algorithm=sha256&signature_version=1&long_url_signature=true',
      { signatureAlgorithm: 'sha256', signatureVersion: 1, longUrlSignature: true },
    ],
    ['an OAuth token', 'cloudinary://demo?oauth_token=abc', { oauthToken: 'abc' }],
    ['an escaped secret', 'cloudinary://1:a%2Fb@demo', { apiSecret: 'a/b' }],
    ['a secret with a bare percent sign', 'cloudinary://1:a%zz@demo', { apiSecret: 'a%zz' }],
    ['keys nobody knows', 'cloudinary://1:2@demo?foo[bar]=1&analytics=false', { cloudName: 'demo' }],
  ])('reads %s', (_form, text, expected) => {
    expect(parseCloudinaryUrl(text)).toMatchObject(expected);
  });

  it('without a secret leaves unsigned uploads', () => {
    const account = parseCloudinaryUrl('cloudinary://demo');
    expect(account).not.toHaveProperty('apiKey');
    expect(account).not.toHaveProperty('apiSecret');
  });

  it.each([
    ['nothing', '', 'not a CLOUDINARY_URL'],
    ['another scheme', 'https://1:topsecret@demo', 'not a CLOUDINARY_URL'],
    ['its own name in front', 'CLOUDINARY_URL=cloudinary://1:topsecret@demo', 'its own name'],
    ['no cloud', 'cloudinary://1:topsecret@', 'CLOUDINARY_URL'],
    ['a cloud with a dot', 'cloudinary://1:topsecret@demo.com', 'names no cloud'],
    ['placeholders', 'cloudinary://<your_api_key>:<your_api_secret>@demo', 'placeholder'],
    ['a secret without a key', 'cloudinary://:topsecret@demo', 'no key'],
    ['an unknown algorithm', 'cloudinary://1:topsecret@demo?signature_algorithm=md5', 'sha1 or sha256'],
    ['an unknown signature version', 'cloudinary://1:topsecret@demo?signature_version=3', '1 or 2'],
    [
      'an upload prefix with a path',
      'cloudinary://1:topsecret@demo?upload_prefix=https://a.test/topsecret',
      'scheme and host',
    ],
    ['a distribution that is no host', 'cloudinary://1:topsecret@demo?secure_distribution=a%20b', 'host name'],
  ])('says what is wrong with %s, and never the secret', (_what, text, message) => {
    let error: unknown;
    try {
      parseCloudinaryUrl(text);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(InvalidCloudinaryUrl);
    expect(String(error)).toContain(message);
    expect(String(error)).not.toContain('topsecret');
  });
});

describe('the API host', () => {
  it('may be given without its scheme', () => {
    expect(apiHost('api-ap.cloudinary.com')).toBe('https://api-ap.cloudinary.com');
  });

  it('is nothing but scheme and host', () => {
    for (const text of ['ftp://a.test', 'https://a.test/v1_1', 'https://user@a.test', '']) {
      expect(() => apiHost(text)).toThrow(InvalidCloudinaryUrl);
    }
  });
});
