import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
  request as send,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { createMediaStore, type MediaStore } from '../../src/media-store/media-store.ts';
import type { MediaStoreOptions } from '../../src/media-store/options.ts';

/** One upload request as the store saw it, in the order in which they began. */
interface RecordedUpload {
  readonly publicId: string;
  /** The store's answer: its status, and whether the public ID was taken before. Undefined until it is given. */
  answer?: { readonly status: number; readonly existing: boolean };
}

export type Intervention =
  /** The request is handed to the store when the promise resolves. */
  | { readonly kind: 'hold'; readonly until: Promise<unknown> }
  /** The store does its work; its answer is handed on when the promise resolves. */
  | { readonly kind: 'hold-answer'; readonly until: Promise<unknown> }
  /** Answered like this; the store never hears of it. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly body: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** The connection is cut; with `stored` after the store has done its work. */
  | { readonly kind: 'cut'; readonly stored: boolean };

/**
 * The embedded store behind a front of the test's: it counts uploads by public ID and how many of one were under way
 * at a time, and steps in where it is told to. What is asserted here nobody can talk away.
 */
export interface RecordingStore extends AsyncDisposable {
  /** For `CLOUDINARY_URL`. */
  readonly account: string;
  /** For `store.uploadPrefix` and `store.deliveryPrefix`. */
  readonly url: string;
  readonly uploads: readonly RecordedUpload[];
  /** Of the store itself, for everything but uploads. */
  readonly faults: MediaStore['faults'];
  /** Headers of every request, as they came. */
  readonly received: readonly IncomingHttpHeaders[];
  /** Most uploads of one public ID that were under way at the same time. */
  readonly mostAtATime: number;
  uploadsOf(publicId: string): number;
  /** Asked for each upload; undefined lets it pass. */
  intervene(decide: ((publicId: string, time: number) => Intervention | undefined) | undefined): void;
  /** Resolves once that many uploads have begun. */
  began(count: number): Promise<void>;
}

/** @param options of the embedded store, where a test needs others */
export async function startRecordingStore(
  dir: string,
  options: Pick<MediaStoreOptions, 'fetchTimeout' | 'limits'> = {},
): Promise<RecordingStore> {
  const credentials = { cloudName: 'demo', apiKey: 'key', apiSecret: 'recording-store-secret' };
  const store = await createMediaStore({ ...options, dir, ...credentials, allowPrivateOrigins: true });
  await store.listen({ host: '127.0.0.1', port: 0 });

  const uploads: RecordedUpload[] = [];
  const received: IncomingHttpHeaders[] = [];
  const underWay = new Map<string, number>();
  const waiting = new Set<() => void>();
  let mostAtATime = 0;
  let decide: ((publicId: string, time: number) => Intervention | undefined) | undefined;

  const server = createServer((request, response) => {
    received.push(request.headers);
    handle(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const front = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'POST' || !/\/upload$/.test(request.url ?? '')) return forward(request, response);
    const pieces: Buffer[] = [];
    // Uploads of tests are small; the front reads them whole to see what they are.
    for await (const piece of request) pieces.push(piece);
    const body = Buffer.concat(pieces);
    const publicId = /name="public_id"\r\n(?:[^\r]+\r\n)*\r\n([^\r]*)/.exec(body.toString('utf8'))?.[1] ?? '';
    const upload: RecordedUpload = { publicId };
    uploads.push(upload);
    const now = (underWay.get(publicId) ?? 0) + 1;
    underWay.set(publicId, now);
    mostAtATime = Math.max(mostAtATime, now);
    for (const look of waiting) look();
    try {
      await answerUpload(request, response, body, upload);
    } finally {
      underWay.set(publicId, (underWay.get(publicId) ?? 1) - 1);
    }
  }

  async function answerUpload(
    request: IncomingMessage,
    response: ServerResponse,
    body: Buffer,
    upload: RecordedUpload,
  ): Promise<void> {
    const step = decide?.(upload.publicId, uploads.filter(({ publicId }) => publicId === upload.publicId).length);
    if (step?.kind === 'answer') {
      upload.answer = { status: step.status, existing: false };
      response.writeHead(step.status, { 'content-type': 'application/json', ...step.headers }).end(step.body);
      return;
    }
    if (step?.kind === 'cut' && !step.stored) return void response.destroy();
    if (step?.kind === 'hold') await step.until;
    const answer = await ask(request, body);
    upload.answer = { status: answer.status, existing: /"existing":\s*true/.test(answer.body.toString()) };
    if (step?.kind === 'hold-answer') await step.until;
    if (step?.kind === 'cut') return void response.destroy();
    response.writeHead(answer.status, answer.headers).end(answer.body);
  }

  async function ask(
    request: IncomingMessage,
    body: Buffer,
  ): Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: Buffer }> {
    const headers = { ...request.headers, 'content-length': String(body.length) };
    delete headers['transfer-encoding'];
    const upstream = send(`${store.url}${request.url}`, { method: 'POST', headers });
    upstream.end(body);
    const [answer] = (await once(upstream, 'response')) as [IncomingMessage];
    const pieces: Buffer[] = [];
    for await (const piece of answer) pieces.push(piece);
    const { 'transfer-encoding': _, ...kept } = answer.headers;
    return { status: answer.statusCode ?? 502, headers: kept, body: Buffer.concat(pieces) };
  }

  async function forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const upstream = send(`${store.url}${request.url}`, { method: request.method, headers: request.headers });
    upstream.on('error', () => response.destroy());
    request.pipe(upstream);
    const [answer] = (await once(upstream, 'response')) as [IncomingMessage];
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  }

  return {
    account: `cloudinary://${credentials.apiKey}:${credentials.apiSecret}@${credentials.cloudName}`,
    url: front,
    uploads,
    faults: store.faults,
    received,
    get mostAtATime() {
      return mostAtATime;
    },
    uploadsOf: (publicId) => uploads.filter((upload) => upload.publicId === publicId).length,
    intervene: (next) => {
      decide = next;
    },
    began: (count) =>
      new Promise((resolve) => {
        const look = () => {
          if (uploads.length < count) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await store.close();
    },
  };
}
