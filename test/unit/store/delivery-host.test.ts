import { v2 as sdk } from 'cloudinary';
import { describe, expect, it } from 'vitest';
import { parseCloudinaryUrl } from '../../../src/store/cloudinary/cloudinary-url.ts';
import { copyUrl, type DeliveryUrlOptions, deliveryHost } from '../../../src/store/cloudinary/delivery-host.ts';

const copy = {
  resourceType: 'image',
  deliveryType: 'upload',
  publicId: 'site/a b',
  version: 1234,
  format: 'jpg',
} as const;

type Copy = Parameters<typeof copyUrl>[2];

function urlOf(cloudinaryUrl: string, more: Partial<Copy> = {}, options?: DeliveryUrlOptions): string {
  const account = parseCloudinaryUrl(cloudinaryUrl);
  return copyUrl(account, deliveryHost(account), { ...copy, ...more }, options);
}

describe('the URL of a stored copy', () => {
  it('carries the version, the transformation, and the format asked for', () => {
    expect(urlOf('cloudinary://1:b@demo')).toBe('https://res.cloudinary.com/demo/image/upload/v1234/site/a%20b.jpg');
    expect(urlOf('cloudinary://1:b@demo', {}, { transformation: 'c_fill,w_300/f_auto,q_auto', format: 'webp' })).toBe(
      'https://res.cloudinary.com/demo/image/upload/c_fill,w_300/f_auto,q_auto/v1234/site/a%20b.webp',
    );
  });

  it('leaves a raw file’s name as it is, and a copy without format without extension', () => {
    expect(urlOf('cloudinary://1:b@demo', { resourceType: 'raw', publicId: 'a.pdf', format: '' })).toContain(
      '/raw/upload/v1234/a.pdf',
    );
    expect(urlOf('cloudinary://1:b@demo', { publicId: 'a', format: '' })).toMatch(/\/v1234\/a$/);
  });

  it('goes to another host where the store is elsewhere', () => {
    const account = parseCloudinaryUrl('cloudinary://1:b@demo');
    const host = deliveryHost(account, 'http://127.0.0.1:8090/');
    expect(copyUrl(account, host, copy)).toBe('http://127.0.0.1:8090/demo/image/upload/v1234/site/a%20b.jpg');
  });

  it('is unsigned where the account has no secret to sign with', () => {
    expect(urlOf('cloudinary://demo', { deliveryType: 'private' })).not.toContain('s--');
  });

  // The SDK is the oracle for hosts and signatures.
  it.each([
    ['the shared host', '', {}, {}],
    ['a private CDN', '/media.example.com', { private_cdn: true, secure_distribution: 'media.example.com' }, {}],
    ['a private CDN without a name of its own', '?private_cdn=true', { private_cdn: true }, {}],
    [
      'a shared host of one’s own',
      '?secure_distribution=cdn.example.com',
      { secure_distribution: 'cdn.example.com' },
      {},
    ],
    ['plain HTTP', '?secure=false', { secure: false }, {}],
    ['plain HTTP on a private CDN', '?secure=false&private_cdn=true', { secure: false, private_cdn: true }, {}],
    ['a CNAME', '?secure=false&cname=cdn.example.com', { secure: false, cname: 'cdn.example.com' }, {}],
    [
      'a private CNAME',
      '?secure=false&private_cdn=true&cname=cdn.example.com',
      { secure: false, private_cdn: true, cname: 'cdn.example.com' },
      {},
    ],
    ['a private copy, signed', '', { sign_url: true }, { deliveryType: 'private' }],
    [
      'an authenticated copy, signed by SHA-256',
      '?signature_algorithm=sha256',
      { sign_url: true, signature_algorithm: 'sha256' },
      { deliveryType: 'authenticated' },
    ],
    [
      'an authenticated copy with a long signature',
      '?long_url_signature=true',
      { sign_url: true, long_url_signature: true },
      { deliveryType: 'authenticated', publicId: 'a(b),ü' },
    ],
  ] as const)('is the SDK’s on %s', (_what, form, sdkOptions, more) => {
    const given: Copy = { ...copy, ...more };
    const expected = sdk.url(given.publicId, {
      cloud_name: 'demo',
      api_secret: 'b',
      secure: true,
      analytics: false,
      type: given.deliveryType,
      version: given.version,
      format: given.format,
      ...sdkOptions,
    });
    expect(urlOf(`cloudinary://1:b@demo${form}`, more)).toBe(expected);
  });
});
