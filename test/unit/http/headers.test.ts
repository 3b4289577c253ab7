import { describe, expect, test } from 'vitest';
import { connectionOptions, endToEndHeaders, isFieldValue } from '../../../src/http/headers.ts';

describe('end-to-end headers', () => {
  test('are without the fields of one connection', () => {
    expect(
      endToEndHeaders({
        Connection: 'keep-alive',
        'Keep-Alive': 'timeout=5',
        'Proxy-Connection': 'keep-alive',
        'Proxy-Authenticate': 'Basic',
        'Proxy-Authorization': 'Basic eA==',
        TE: 'trailers',
        Trailer: 'x-sum',
        'Transfer-Encoding': 'chunked',
        Upgrade: 'h2c',
        'HTTP2-Settings': 'x',
        'Content-Type': 'image/jpeg',
      }),
    ).toEqual({ 'content-type': 'image/jpeg' });
  });

  test('are without the fields that Connection names, in any case and spacing', () => {
    expect(
      endToEndHeaders({ connection: ['close, X-Hop', ' x-Other ,,'], 'X-HOP': '1', 'x-other': '2', 'x-kept': '3' }),
    ).toEqual({ 'x-kept': '3' });
  });

  test('have repeated fields joined and absent ones left out', () => {
    expect(endToEndHeaders({ vary: ['accept', 'origin'], etag: undefined })).toEqual({ vary: 'accept, origin' });
  });

  test('keep a field named like a property of every object as a field', () => {
    const headers = endToEndHeaders(JSON.parse('{"__proto__": "x", "constructor": "y"}'));
    expect(Object.entries(headers)).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
    expect(Object.getPrototypeOf(headers)).toBe(Object.prototype);
  });
});

test('a Connection header that is absent names nothing', () => {
  expect(connectionOptions(undefined)).toEqual(new Set());
});

describe('a header field value', () => {
  test.each(['', '"abc"', 'a\tb', 'W/"x"', 'caf\u00e9'])('may be %j', (value) => {
    expect(isFieldValue(value)).toBe(true);
  });
  test.each(['a\r\nb: c', 'a\nb', 'a\0b', '\u007f', '\u2028', '日本'])('may not be %j', (value) => {
    expect(isFieldValue(value)).toBe(false);
  });
});
