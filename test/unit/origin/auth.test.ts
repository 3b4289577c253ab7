import { describe, expect, test } from 'vitest';
import { credentialsOf } from '../../../src/origin/http/auth.ts';

const request = { method: 'GET', url: new URL('https://origin.test/'), headers: {} } as const;

describe('credentials for the origin', () => {
  test('by user name and password are Basic, in UTF-8', () => {
    expect(credentialsOf({ kind: 'basic', username: 'jörg', password: 'p:w' })(request)).toEqual({
      authorization: `Basic ${Buffer.from('jörg:p:w', 'utf8').toString('base64')}`,
    });
  });

  test('by token are Bearer', () => {
    expect(credentialsOf({ kind: 'bearer', token: 't0k' })(request)).toEqual({ authorization: 'Bearer t0k' });
  });

  test('by header are that header', () => {
    expect(credentialsOf({ kind: 'header', name: 'X-Origin-Key', value: 'k' })(request)).toEqual({
      'x-origin-key': 'k',
    });
  });

  test('that no header can hold are refused without being shown', () => {
    const refuse = () => credentialsOf({ kind: 'bearer', token: 'secret\r\nhost: evil' });
    expect(refuse).toThrow(TypeError);
    expect(refuse).not.toThrow(/secret/);
  });
});
