import { expect, test } from 'vitest';
import { typeMismatch } from '../../../src/migration/type-mismatch.ts';

test.each([
  ['image/jpeg', 'a.jpg', 'image/jpeg'],
  ['image/jpg', 'a.jpeg', 'image/jpeg'],
  ['image/jpeg', 'a', 'image/jpeg'],
  ['image/jpeg', 'a.jpg', undefined],
] as const)('%s named %s that is %s by its bytes is no mismatch', (declared, name, byBytes) => {
  expect(typeMismatch(declared, name, byBytes)).toBeUndefined();
});

test.each([
  ['image/png', 'a.png', 'image/jpeg', { declared: 'image/png', byName: 'image/png', byBytes: 'image/jpeg' }],
  ['image/jpeg', 'a.png', 'image/jpeg', { declared: 'image/jpeg', byName: 'image/png', byBytes: 'image/jpeg' }],
  ['image/webp', 'a', 'image/avif', { declared: 'image/webp', byBytes: 'image/avif' }],
] as const)('%s named %s that is %s by its bytes is one, and all three are told', (declared, name, byBytes, told) => {
  expect(typeMismatch(declared, name, byBytes)).toEqual(told);
});
