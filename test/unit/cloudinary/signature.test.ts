import { v2 as sdk } from 'cloudinary';
import { describe, expect, it } from 'vitest';
import {
  signDelivery,
  signNotification,
  signParameters,
  signResponse,
  stringToSign,
  verifyDelivery,
  verifyNotification,
  verifyParameters,
  verifyResponse,
} from '../../../src/cloudinary/signature.ts';

const secret = 'abcd';

/** The SDK's function, whose declared type leaves out the last two arguments. */
const sdkSign = sdk.utils.api_sign_request as (
  parameters: object,
  secret: string,
  algorithm?: string,
  version?: number,
) => string;

describe('signature of upload parameters', () => {
  const documented = {
    timestamp: 1315060510,
    public_id: 'sample_image',
    eager: 'w_400,h_300,c_pad|w_260,h_200,c_crop',
  };

  it('equals the documented SHA-1 and SHA-256 vectors', () => {
    expect(signParameters(documented, secret)).toBe('bfd09f95f331f558cbd1320e67aa8d488770583e');
    expect(signParameters(documented, secret, { algorithm: 'sha256' })).toBe(
      'cc927e1290f9e3ae4c1a741eda21a4630b4ce80f9ce0bc0296337d25cf40f91e',
    );
  });

  it('escapes & in values in version 2 only, so that no value can pass for another parameter', () => {
    const parameters = { notification_url: 'https://e.com/cb?a=1&tags=x', timestamp: 1 };
    expect(signParameters(parameters, secret, { version: 1 })).toBe('3dda166efaf567e1f43b92dd88f39ef3c81df578');
    expect(signParameters(parameters, secret, { version: 2 })).toBe('85f9ccf7cf927e81f501c50bd592b82ea3350720');
  });

  it('leaves out what Cloudinary never signs, and blanks, and keeps zero and false', () => {
    expect(
      stringToSign({
        file: 'x',
        api_key: 'x',
        cloud_name: 'x',
        resource_type: 'x',
        signature: 'x',
        x_unique_upload_id: 'x',
        tags: ['b', 'a'],
        context: '',
        eager: [],
        metadata: null,
        overwrite: false,
        backup: true,
        zoom: 0,
      }),
    ).toBe('backup=1&overwrite=0&tags=b,a&zoom=0');
  });

  for (const version of [1, 2] as const) {
    for (const algorithm of ['sha1', 'sha256'] as const) {
      it(`is what the official SDK signs: version ${version}, ${algorithm}`, () => {
        const parameters = {
          timestamp: 1700000000,
          public_id: 'site/ürümqi & more/a=b',
          tags: ['x', 'y&z'],
          public_id_prefix: 'p',
          context: 'a=1|b=é',
        };
        expect(signParameters(parameters, secret, { version, algorithm })).toBe(
          sdkSign(parameters, secret, algorithm, version),
        );
      });
    }
  }

  it('verifies both versions and both algorithms, and nothing else', () => {
    const parameters = { public_id: 'a&b', timestamp: 1 };
    for (const version of [1, 2] as const) {
      for (const algorithm of ['sha1', 'sha256'] as const) {
        const signature = signParameters(parameters, secret, { version, algorithm });
        expect(verifyParameters(parameters, signature, secret)).toBe(true);
        expect(verifyParameters(parameters, signature.toUpperCase(), secret)).toBe(true);
        expect(verifyParameters({ ...parameters, timestamp: 2 }, signature, secret)).toBe(false);
        expect(verifyParameters(parameters, signature, 'other')).toBe(false);
      }
    }
    expect(verifyParameters(parameters, '', secret)).toBe(false);
    expect(verifyParameters(parameters, 'é'.repeat(40), secret)).toBe(false);
  });
});

describe('signature of a response', () => {
  it('equals the documented vector and is always of version 1', () => {
    expect(signResponse('sample', 1312461204, secret)).toBe('7332b60d1da7033c332c59cb66dac31f72acc44c');
    expect(signResponse('a&b', 1, secret)).toBe(sdkSign({ public_id: 'a&b', version: 1 }, secret, 'sha1', 1));
  });

  it('is refused when public ID, version or secret differ', () => {
    const signature = signResponse('sample', 7, secret, 'sha256');
    expect(verifyResponse('sample', 7, signature, secret)).toBe(true);
    expect(verifyResponse('sampl', 7, signature, secret)).toBe(false);
    expect(verifyResponse('sample', 8, signature, secret)).toBe(false);
    expect(verifyResponse('sample', 7, signature, 'other')).toBe(false);
  });
});

describe('signature of a notification', () => {
  const body = '{"notification_type":"upload","public_id":"ü"}';
  const timestamp = 1_700_000_000;

  it('is what the official SDK computes', () => {
    for (const algorithm of ['sha1', 'sha256'] as const) {
      expect(signNotification(body, timestamp, secret, algorithm)).toBe(
        sdk.utils.webhook_signature(body, timestamp, { api_secret: secret, signature_algorithm: algorithm } as never),
      );
    }
  });

  it('holds for two hours after it was made, over the raw bytes', () => {
    const received = {
      body: Buffer.from(body),
      timestamp: String(timestamp),
      signature: signNotification(body, timestamp, secret),
    };
    const at = (seconds: number) => verifyNotification(received, secret, { now: (timestamp + seconds) * 1000 });
    expect(at(0)).toBe(true);
    expect(at(7200)).toBe(true);
    expect(at(7201)).toBe(false);
  });

  it('is refused when body, timestamp or secret differ or are malformed', () => {
    const now = timestamp * 1000;
    const received = { body, timestamp: String(timestamp), signature: signNotification(body, timestamp, secret) };
    expect(verifyNotification(received, secret, { now })).toBe(true);
    expect(verifyNotification({ ...received, body: `${body} ` }, secret, { now })).toBe(false);
    expect(verifyNotification({ ...received, timestamp: String(timestamp + 1) }, secret, { now })).toBe(false);
    expect(verifyNotification({ ...received, timestamp: `0x${timestamp.toString(16)}` }, secret, { now })).toBe(false);
    expect(verifyNotification({ ...received, signature: 'abc' }, secret, { now })).toBe(false);
    expect(verifyNotification(received, 'other', { now })).toBe(false);
  });
});

describe('signature of a delivery URL', () => {
  it('equals the documented vectors', () => {
    expect(signDelivery('sample.jpg', 'b')).toBe('v2fTPYTu');
    expect(signDelivery('sample.jpg', 'b', 'long')).toBe('2hbrSMPOjj5BJ4xV7SgFbRDevFaQNUFf');
    expect(signDelivery('c_crop,h_20,w_10/image.jpg', 'b')).toBe('Ai4Znfl3');
  });

  it('verifies the short and the long form, and nothing else', () => {
    for (const form of ['sha1', 'sha256', 'long'] as const) {
      const signature = signDelivery('sample.jpg', 'b', form);
      expect(verifyDelivery('sample.jpg', signature, 'b')).toBe(true);
      expect(verifyDelivery('other.jpg', signature, 'b')).toBe(false);
      expect(verifyDelivery('sample.jpg', signature, 'c')).toBe(false);
    }
    expect(verifyDelivery('sample.jpg', signDelivery('sample.jpg', 'b', 'long').slice(0, 31), 'b')).toBe(false);
    expect(verifyDelivery('sample.jpg', '', 'b')).toBe(false);
  });
});
