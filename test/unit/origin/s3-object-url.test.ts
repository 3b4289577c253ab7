import { describe, expect, test } from 'vitest';
import { objectUrl, objectUrlPrefix } from '../../../src/origin/s3/object-url.ts';

const place = { origin: 's3://media/site/', region: 'eu-west-1' };
const prefix = 'https://media.s3.eu-west-1.amazonaws.com/site/';

describe('an S3 origin', () => {
  test.each([
    [place, prefix],
    [{ ...place, origin: 's3://media/' }, 'https://media.s3.eu-west-1.amazonaws.com/'],
    [{ ...place, origin: 's3://my.media/site/' }, 'https://s3.eu-west-1.amazonaws.com/my.media/site/'],
    [{ ...place, endpoint: 'http://127.0.0.1:9000' }, 'http://127.0.0.1:9000/media/site/'],
    [{ ...place, endpoint: 'https://minio.test/s3/' }, 'https://minio.test/s3/media/site/'],
    [
      { ...place, origin: 's3://media/söme pläce/' },
      'https://media.s3.eu-west-1.amazonaws.com/s%C3%B6me%20pl%C3%A4ce/',
    ],
  ])('%j is read at %s', (its, expected) => {
    expect(objectUrlPrefix(its)).toBe(expected);
  });

  test.each([
    's3://media',
    's3:///site/',
    's3://Media/',
    's3://media/site',
    'https://media/',
    's3://a/',
    's3://media/%ff/',
  ])('%s is refused with what is right', (origin) => {
    expect(() => objectUrlPrefix({ ...place, origin })).toThrow(/not an S3 origin/);
  });
});

describe('an S3 object', () => {
  test.each([
    ['a.jpg', 'a.jpg'],
    ['a%20b.jpg', 'a%20b.jpg'],
    ["it's(1)!*.jpg", 'it%27s%281%29%21%2A.jpg'],
    ['a+b=c,d@e.jpg', 'a%2Bb%3Dc%2Cd%40e.jpg'],
    ['%c3%bc/x.jpg', '%C3%BC/x.jpg'],
    ['100%.jpg', '100%25.jpg'],
    ['100%25.jpg', '100%25.jpg'],
    ['a//b.jpg', 'a//b.jpg'],
    ['%7Euser/a.jpg', '~user/a.jpg'],
    ['a.jpg?acl', 'a.jpg'],
    ['a.jpg?response-content-type=text/html#x', 'a.jpg'],
  ])('%s is asked for as %s', (path, expected) => {
    expect(objectUrl(`s3://media/site/${path}`, place, prefix)).toBe(prefix + expected);
  });

  test('elsewhere is never asked for', () => {
    for (const url of ['s3://media/other/a.jpg', 's3://other/site/a.jpg', 'https://media/site/a.jpg', '']) {
      expect(() => objectUrl(url, place, prefix)).toThrow(expect.objectContaining({ reason: 'origin-blocked' }));
    }
  });

  test('with a name that is not UTF-8 does not exist', () => {
    expect(() => objectUrl('s3://media/site/%ff.jpg', place, prefix)).toThrow(
      expect.objectContaining({ reason: 'origin-not-found' }),
    );
  });
});
