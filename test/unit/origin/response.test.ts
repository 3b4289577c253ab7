import { describe, expect, test } from 'vitest';
import { readResponse } from '../../../src/origin/http/response.ts';

describe('the head of an answer', () => {
  test.each([
    [{ 'content-length': '5' }, { framed: true, length: 5 }],
    [{ 'transfer-encoding': 'Chunked' }, { framed: true }],
    [{}, { framed: false }],
    [{ 'content-length': '-1' }, { framed: false }],
    [{ 'content-length': '5, 5' }, { framed: false }],
    [{ 'content-length': ['5', '5'] }, { framed: false }],
    [{ 'content-length': '9007199254740993000' }, { framed: false }],
  ])('with %j is framed so: %j', (headers, expected) => {
    const { framed, length } = readResponse(200, headers);
    expect({ framed, ...(length === undefined ? {} : { length }) }).toEqual(expected);
  });

  test.each([204, 304])('of %i has no body, whatever length it states', (status) => {
    expect(readResponse(status, { 'content-length': '5' })).toMatchObject({ framed: true, length: 0 });
  });

  test.each(['gzip', 'gzip, chunked', 'chunked, chunked', 'identity'])('in transfer coding %s is refused', (coding) => {
    expect(() => readResponse(200, { 'transfer-encoding': coding })).toThrow(
      expect.objectContaining({ reason: 'origin-error' }),
    );
  });

  test('gives the length of the whole object beside that of the part', () => {
    const response = readResponse(206, { 'content-length': '10', 'content-range': 'bytes 0-9/1000' });
    expect(response).toMatchObject({ length: 10, facts: { bytes: 1000 } });
  });

  test.each(['bytes 0-9/*', 'pages 1-2/10', 'bytes 0-9', ''])('knows no whole length by Content-Range %j', (value) => {
    expect(readResponse(206, { 'content-range': value }).facts.bytes).toBeUndefined();
  });

  test.each([201, 404, 500])('of %i says nothing of the object’s length', (status) => {
    expect(readResponse(status, { 'content-length': '5' }).facts.bytes).toBeUndefined();
  });

  test.each(['identity', ' Identity ', ''])('with Content-Encoding %j is not encoded', (value) => {
    expect(readResponse(200, { 'content-encoding': value }).facts).not.toHaveProperty('contentEncoding');
  });

  test('names the encoding otherwise', () => {
    expect(readResponse(200, { 'content-encoding': 'br' }).facts.contentEncoding).toBe('br');
  });
});
