import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, relative, sep } from 'node:path';
import { parseArgs } from 'node:util';
import { fileTypeFromFile } from 'file-type';
import send from 'send';

const media = join(import.meta.dirname, 'media');

export interface SampleOrigin {
  /** Absolute, with the slash at its end: `http://127.0.0.1:40001/`. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * A plain web server over `sample/media`, as many a team has one: ranges, conditional requests, HEAD, an index page.
 * Port 0 takes a free one.
 */
export async function startSampleOrigin(listen: {
  readonly host: string;
  readonly port: number;
}): Promise<SampleOrigin> {
  const files = await listFiles();
  const sniffedTypes = await sniffTypes(files);
  const server = createServer((request, response) => answer(request, response, files, sniffedTypes));
  server.listen(listen.port, listen.host);
  await once(server, 'listening');
  const { address, family, port } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}/`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Paths below `sample/media` with forward slashes, sorted. */
async function listFiles(): Promise<string[]> {
  const entries = await readdir(media, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(media, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}

/** Content types by full path of the files whose name does not tell theirs. */
async function sniffTypes(files: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const types = new Map<string, string>();
  for (const file of files.filter((name) => extname(name) === '')) {
    const found = await fileTypeFromFile(join(media, file));
    if (found !== undefined) types.set(join(media, file), found.mime);
  }
  return types;
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  files: readonly string[],
  sniffedTypes: ReadonlyMap<string, string>,
): void {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { Allow: 'GET, HEAD', 'Content-Type': 'text/plain' });
    response.end('this origin answers GET and HEAD\n');
    return;
  }
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  if (path === '/') {
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-cache' });
    response.end(indexPage(files));
    return;
  }
  send(request, path, { root: media, index: false, dotfiles: 'ignore', maxAge: '1h' })
    .on('headers', (_: ServerResponse, file: string, stat: { mtimeMs: number; size: number }) => {
      // `send` makes weak validators, with which If-Range never holds; most web servers make strong ones of the same.
      response.setHeader('ETag', `"${Math.floor(stat.mtimeMs).toString(16)}-${stat.size.toString(16)}"`);
      const type = sniffedTypes.get(file);
      if (type !== undefined) response.setHeader('Content-Type', type);
    })
    .pipe(response);
}

function indexPage(files: readonly string[]): string {
  const items = files.map((file) => {
    const href = `/${file.split('/').map(encodeURIComponent).join('/')}`;
    return `<li><a href="${href}">${file.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</a></li>`;
  });
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Sample origin</title><h1>Sample origin</h1><ul>${items.join('')}</ul></html>\n`;
}

// `node sample/origin.ts --listen 127.0.0.1:0` serves until it is told to stop; one JSON line on stdout names the URL.
if (import.meta.main) {
  const { values } = parseArgs({ options: { listen: { type: 'string', default: '127.0.0.1:0' } } });
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(values.listen);
  if (match === null) {
    console.error(`--listen ${values.listen}: not an address: write host:port, such as 127.0.0.1:8081`);
    process.exit(2);
  }
  const origin = await startSampleOrigin({ host: match[1] ?? match[2] ?? '', port: Number(match[3]) });
  console.log(JSON.stringify({ url: origin.url }));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void origin.close());
}
