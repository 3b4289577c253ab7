import { describe, expect, test } from 'vitest';
import type { Mapping } from '../../../src/config/schema.ts';
import { MappingTable } from '../../../src/delivery/mapping-table.ts';
import { resolve } from '../../../src/delivery/resolve.ts';
import { mappingOf } from '../../support/mapping.ts';

const images = mappingOf({ prefix: '/images/', origin: 'https://o.example/i/', folder: 'site/images' });
const large = mappingOf({ prefix: '/images/large/', origin: 'https://big.example/', folder: 'large' });
const trap = mappingOf({ prefix: '/trap/', origin: 'https://o.example/trap/', folder: 'w_1/trap' });
const all = mappingOf({ prefix: '/', origin: 'https://rest.example/', folder: 'rest' });

function originOf(target: string, ...mappings: Mapping[]): string {
  const resolution = resolve(target, { table: new MappingTable(mappings), cloudName: 'demo' });
  return resolution.kind === 'asset' ? resolution.asset.originUrl : resolution.kind;
}

describe('a path of the site’s own', () => {
  test.each([
    ['/images/a.jpg', 'https://o.example/i/a.jpg'],
    ['/images/large/a.jpg', 'https://big.example/a.jpg'],
    ['/images/large', 'https://o.example/i/large'],
    ['/images/a%20b.jpg?x=1', 'https://o.example/i/a%20b.jpg'],
    ['/images//evil.example/a.jpg', 'https://o.example/i//evil.example/a.jpg'],
    ['/images/', 'no-name'],
    ['/images', 'unmapped'],
    ['/images-evil/a.jpg', 'unmapped'],
    ['/IMAGES/a.jpg', 'unmapped'],
    ['/__proto__/constructor', 'unmapped'],
  ])('%s is %s', (target, expected) => {
    expect(originOf(target, images, large)).toBe(expected);
  });

  test('falls to the mapping of everything where no longer prefix fits', () => {
    expect(originOf('/other/a.jpg', all, images)).toBe('https://rest.example/other/a.jpg');
    expect(originOf('/images/a.jpg', all, images)).toBe('https://o.example/i/a.jpg');
    expect(originOf('/', all, images)).toBe('no-name');
  });
});

describe('a URL in Cloudinary’s grammar', () => {
  test.each([
    ['/demo/image/upload/site/images/a.jpg', 'https://o.example/i/a.jpg'],
    ['/image/upload/site/images/a.jpg', 'https://o.example/i/a.jpg'],
    ['/demo/image/upload/w_300,c_fill/e_grayscale/v1234/site/images/x/a.jpg', 'https://o.example/i/x/a.jpg'],
    ['/demo/image/upload/w_1/trap/a.jpg', 'https://o.example/trap/a.jpg'],
    ['/demo/image/upload/site/images/a%2520b.jpg', 'https://o.example/i/a%20b.jpg'],
    ['/somebody/image/upload/site/images/a.jpg', 'unmapped'],
    ['/demo/image/private/site/images/a.jpg', 'unmapped'],
    ['/demo/image/upload/site/images-evil/a.jpg', 'unmapped'],
    ['/demo/image/fetch/https://evil.example/a.jpg', 'unmapped'],
  ])('%s is %s', (target, expected) => {
    expect(originOf(target, images, trap)).toBe(expected);
  });

  test('keeps its transformations, with the mapping’s behind them', () => {
    const mapping = mappingOf({ folder: 'site', transformation: 'f_auto,q_auto' });
    const options = { table: new MappingTable([mapping]), cloudName: 'demo' };
    const chained = resolve('/demo/image/upload/w_300/e_sepia/v1/site/a.jpg', options);
    expect(chained).toMatchObject({ transformation: 'w_300/e_sepia/f_auto,q_auto' });
    expect(resolve('/images/a.jpg', options)).toMatchObject({ transformation: 'f_auto,q_auto' });
  });

  test('wins over a mapping of everything, and loses to a longer one', () => {
    expect(originOf('/demo/image/upload/site/images/a.jpg', all, images)).toBe('https://o.example/i/a.jpg');
    const demo = mappingOf({ prefix: '/demo/', origin: 'https://demo.example/' });
    expect(originOf('/demo/image/upload/site/images/a.jpg', demo, images)).toBe(
      'https://demo.example/image/upload/site/images/a.jpg',
    );
  });
});

test.each([
  ['ignore', '/images/a.jpg?v=1&w=2', 'https://o.example/i/a.jpg'],
  ['key', '/images/a.jpg?w=2&v=1', 'https://o.example/i/a.jpg?w=2&v=1'],
  ['key', '/images/a.jpg?', 'https://o.example/i/a.jpg'],
  [['v'], '/images/a.jpg?utm=x&v=1&vv=3', 'https://o.example/i/a.jpg?v=1'],
  [['v'], '/images/a.jpg?%76=1', 'https://o.example/i/a.jpg?v=1'],
  [['v', 'w'], '/images/a.jpg?w=2&v=1', 'https://o.example/i/a.jpg?v=1&w=2'],
  [['v'], '/images/a.jpg?utm=x', 'https://o.example/i/a.jpg'],
] as const)('query: %j makes %s the object %s', (query, target, expected) => {
  expect(originOf(target, { ...images, query })).toBe(expected);
});
