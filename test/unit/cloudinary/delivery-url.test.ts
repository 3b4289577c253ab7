import { v2 as sdk } from 'cloudinary';
import { describe, expect, it } from 'vitest';
import {
  buildDeliveryUrl,
  type DeliveryUrl,
  decodePublicId,
  encodePublicId,
  type ParseOptions,
  parseDeliveryUrl,
  publicIdOf,
  signedPart,
} from '../../../src/cloudinary/delivery-url.ts';
import { signDelivery, verifyDelivery } from '../../../src/cloudinary/signature.ts';

function parsed(text: string, options?: ParseOptions): DeliveryUrl {
  const result = parseDeliveryUrl(text, options);
  if (!result.ok) throw new Error(`${text}: ${result.problem}`);
  return result.url;
}

function problem(text: string, options?: ParseOptions): string | undefined {
  const result = parseDeliveryUrl(text, options);
  return result.ok ? undefined : result.problem;
}

describe('parsing a delivery URL', () => {
  it('reads every part of a full URL', () => {
    expect(
      parsed(
        'https://res.cloudinary.com/demo/image/authenticated/s--Ai4Znfl3--/c_fill,w_300/t_thumb/v1234/site/a.jpg?_a=1',
      ),
    ).toEqual({
      origin: 'https://res.cloudinary.com',
      cloud: 'demo',
      form: 'full',
      resourceType: 'image',
      deliveryType: 'authenticated',
      signature: 'Ai4Znfl3',
      transformations: ['c_fill,w_300', 't_thumb'],
      version: '1234',
      source: 'site/a.jpg',
      query: '?_a=1',
    });
  });

  it('reads a path, with and without cloud', () => {
    expect(parsed('/demo/video/upload/a.mp4')).toMatchObject({ origin: '', cloud: 'demo', resourceType: 'video' });
    const privateCdn = parsed('/raw/upload/v1/a.pdf');
    expect(privateCdn).toMatchObject({ resourceType: 'raw', source: 'a.pdf' });
    expect(privateCdn).not.toHaveProperty('cloud');
  });

  it('holds the caller to a cloud or to none where the host decides it', () => {
    expect(problem('/image/upload/a.jpg', { cloud: 'present' })).toContain('asset type');
    expect(problem('/demo/image/upload/a.jpg', { cloud: 'absent' })).toContain('asset type');
    expect(parsed('/image/image/upload/a.jpg', { cloud: 'present' }).cloud).toBe('image');
  });

  it.each([
    ['images', 'image', 'upload'],
    ['private_images', 'image', 'private'],
    ['authenticated_images', 'image', 'authenticated'],
    ['videos', 'video', 'upload'],
    ['files', 'raw', 'upload'],
  ])('reads the SEO form %s', (word, resourceType, deliveryType) => {
    expect(parsed(`/demo/${word}/w_300/v1/site/a/nice-name.jpg`)).toMatchObject({
      form: 'seo',
      resourceType,
      deliveryType,
      transformations: ['w_300'],
      source: 'site/a',
      seoSuffix: 'nice-name.jpg',
    });
  });

  it('takes the last but one part of an SEO URL for the public ID, however it looks', () => {
    expect(parsed('/demo/images/a_b/nice-name.jpg')).toMatchObject({ transformations: [], source: 'a_b' });
    expect(problem('/demo/images/nice-name.jpg')).toContain('SEO');
  });

  it('reads the short form and, where it is asked for, the root path', () => {
    expect(parsed('/demo/iu/w_10/a.jpg')).toMatchObject({ form: 'short', resourceType: 'image', source: 'a.jpg' });
    expect(parsed('/demo/w_10/a.jpg', { rootPath: true })).toMatchObject({
      form: 'root',
      cloud: 'demo',
      source: 'a.jpg',
    });
    expect(problem('/demo/w_10/a.jpg')).toContain('asset type');
  });

  it('keeps chained, named, conditional and variable transformations apart from the public ID', () => {
    expect(
      parsed(
        '/demo/image/upload/$size_200,w_$size/if_w_gt_100,c_scale/if_end/l_text:Arial_40:Hi%252C%20you/fl_layer_apply/site/a.jpg',
      ),
    ).toMatchObject({
      transformations: [
        '$size_200,w_$size',
        'if_w_gt_100,c_scale',
        'if_end',
        'l_text:Arial_40:Hi%252C%20you',
        'fl_layer_apply',
      ],
      source: 'site/a.jpg',
    });
  });

  it('takes a folder such as fb_x for a transformation, as Cloudinary does, unless a version or the caller says no', () => {
    expect(parsed('/demo/image/upload/fb_x/a.jpg')).toMatchObject({ transformations: ['fb_x'], source: 'a.jpg' });
    expect(parsed('/demo/image/upload/v1/fb_x/a.jpg')).toMatchObject({ transformations: [], source: 'fb_x/a.jpg' });
    const isSource = (parts: readonly string[], at: number) => parts[at] === 'fb_x';
    expect(parsed('/demo/image/upload/w_9/fb_x/a.jpg', { isSource })).toMatchObject({
      transformations: ['w_9'],
      source: 'fb_x/a.jpg',
    });
  });

  it('reads only the first v12 as a version', () => {
    expect(parsed('/demo/image/upload/v12/a.jpg')).toMatchObject({ version: '12', source: 'a.jpg' });
    expect(parsed('/demo/image/upload/v1/v12/a.jpg')).toMatchObject({ version: '1', source: 'v12/a.jpg' });
    expect(parsed('/demo/image/upload/v12')).toMatchObject({ source: 'v12' });
  });

  it('takes the last part for the public ID, however it looks', () => {
    expect(parsed('/demo/image/upload/w_300')).toMatchObject({ transformations: [], source: 'w_300' });
    expect(parsed('/demo/image/upload/w_300/h_200')).toMatchObject({ transformations: ['w_300'], source: 'h_200' });
  });

  it('reads remote sources whole', () => {
    const url = parsed('/demo/image/fetch/w_300/https://example.com/a_b.jpg');
    expect(url).toMatchObject({ deliveryType: 'fetch', source: 'https://example.com/a_b.jpg' });
    expect(publicIdOf(url)).toEqual({ publicId: 'https://example.com/a_b.jpg' });
  });

  it.each([
    ['', 'absolute'],
    ['image/upload/a.jpg', 'absolute'],
    ['//demo/image/upload/a.jpg', 'cloud name'],
    ['/', 'cloud name'],
    ['/demo', 'asset type'],
    ['/demo/image/upload', 'public ID'],
    ['/demo/image/upload/', 'public ID'],
    ['/demo/image/upload//', 'public ID'],
    ['/demo/image/nonsense/a.jpg', 'asset type'],
    ['/demo/constructor/a/b.jpg', 'asset type'],
    ['/demo/images/a/', 'SEO'],
  ])('says why %j is none', (text, why) => {
    expect(problem(text)).toContain(why);
  });
});

describe('the public ID of a delivery URL', () => {
  const idOf = (rest: string) => publicIdOf(parsed(`/demo/${rest}`));

  it('leaves a known format’s extension off, except for raw assets', () => {
    expect(idOf('image/upload/v1/site/a.b.JPG')).toEqual({ publicId: 'site/a.b', format: 'JPG' });
    expect(idOf('raw/upload/v1/site/a.jpg')).toEqual({ publicId: 'site/a.jpg' });
    expect(idOf('images/v1/site/a/nice.webp')).toEqual({ publicId: 'site/a', format: 'webp' });
    expect(idOf('files/v1/site/a.pdf/nice')).toEqual({ publicId: 'site/a.pdf' });
  });

  it('takes other dots for part of the name', () => {
    expect(idOf('image/upload/photo.final')).toEqual({ publicId: 'photo.final' });
    expect(idOf('image/upload/v1/site.jpg/a')).toEqual({ publicId: 'site.jpg/a' });
    expect(idOf('image/upload/v1/site/.jpg')).toEqual({ publicId: 'site/.jpg' });
    expect(idOf('image/upload/a')).toEqual({ publicId: 'a' });
  });

  it('decodes what was encoded twice, and leaves what is no valid escape', () => {
    expect(decodePublicId('a%20b')).toBe('a b');
    expect(decodePublicId('a%2520b')).toBe('a b');
    expect(decodePublicId('a%252520b')).toBe('a b');
    expect(decodePublicId('100%.jpg')).toBe('100%.jpg');
    expect(decodePublicId('%ff%C3%BC')).toBe('%ff%C3%BC');
    expect(decodePublicId('%C3%BC%zz')).toBe('ü%zz');
  });

  it('collapses doubled slashes and drops outer ones', () => {
    expect(decodePublicId('/site//a/')).toBe('site/a');
    expect(decodePublicId('https://example.com/a')).toBe('https://example.com/a');
  });

  it('encodes half characters without an error', () => {
    expect(encodePublicId('a\ud800')).toBe('a%EF%BF%BD');
  });
});

describe('building a delivery URL', () => {
  const url: DeliveryUrl = {
    origin: '',
    cloud: 'demo',
    form: 'full',
    resourceType: 'image',
    deliveryType: 'upload',
    transformations: [],
    source: 'a.jpg',
    query: '',
  };

  it.each([
    ['fb_x/a.jpg', '/demo/image/upload/v1/fb_x/a.jpg'],
    ['v12/a.jpg', '/demo/image/upload/v1/v12/a.jpg'],
    ['s--Ai4Znfl3--/a.jpg', '/demo/image/upload/v1/s--Ai4Znfl3--/a.jpg'],
    ['fb_x', '/demo/image/upload/fb_x'],
    ['site/fb_x/a.jpg', '/demo/image/upload/site/fb_x/a.jpg'],
  ])('puts a version before %s only where it would be misread', (source, expected) => {
    expect(buildDeliveryUrl({ ...url, source })).toBe(expected);
  });

  it('refuses an SEO form that Cloudinary does not have', () => {
    expect(() => buildDeliveryUrl({ ...url, form: 'seo', deliveryType: 'fetch', seoSuffix: 'a' })).toThrow('SEO');
  });
});

describe('against the official SDK', () => {
  const shared = { cloud_name: 'demo', api_secret: 'b', secure: true, analytics: false } as const;

  it.each([
    ['site/a b', { format: 'jpg' }],
    ['site/ü,ñ', { format: 'png', width: 30, crop: 'fill' }],
    ['fb_x/a', { version: 12 }],
    ['a', { resource_type: 'video', type: 'private', format: 'mp4', sign_url: true }],
    ['site/a.pdf', { resource_type: 'raw', type: 'authenticated', sign_url: true, long_url_signature: true }],
    ['site/a', { url_suffix: 'nice', format: 'jpg', sign_url: true, width: 3, crop: 'scale' }],
    ['site/a', { shorten: true, transformation: [{ width: 3, crop: 'fit' }, { effect: 'sepia' }] }],
    ['https://example.com/a b.jpg?x=1&y=2', { type: 'fetch', sign_url: true, fetch_format: 'auto' }],
    ['site/a', { private_cdn: true, secure_distribution: 'media.example.com', format: 'jpg' }],
  ])('reads and signs %s %j as the SDK writes it', (publicId, options) => {
    const text = sdk.url(publicId, { ...shared, ...options });
    const url = parsed(text);
    expect(buildDeliveryUrl(url)).toBe(text);
    const expected = 'type' in options && options.type === 'fetch' ? encodeURI(publicId) : publicId;
    if (!expected.startsWith('http')) expect(publicIdOf(url).publicId).toBe(expected);
    if (!('sign_url' in options)) return;
    const form = 'long_url_signature' in options ? 'long' : 'sha1';
    expect(signDelivery(signedPart(url), 'b', form)).toBe(url.signature);
    expect(verifyDelivery(signedPart(url), url.signature ?? '', 'b')).toBe(true);
  });
});
