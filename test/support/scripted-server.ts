import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** A request, read to its end. */
export interface ReceivedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The body as a form, where it is one. */
  form(): Promise<FormData>;
}

export interface ScriptedAnswer {
  /** 200 unless told. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Objects go out as JSON. */
  readonly body?: unknown;
}

export type Step =
  | ScriptedAnswer
  | ((request: ReceivedRequest) => ScriptedAnswer)
  /** Answers by hand, maybe before the request is read. */
  | { readonly raw: (request: IncomingMessage, response: ServerResponse) => void };

export interface ScriptedServer {
  readonly url: string;
  /** Requests that were read to their end, in order. */
  readonly requests: readonly ReceivedRequest[];
}

/** A server that answers each request with the next step; the last step answers all that follow. */
export async function startScriptedServer(
  steps: readonly Step[],
  tls?: { readonly cert: Buffer; readonly key: Buffer },
): Promise<ScriptedServer> {
  const requests: ReceivedRequest[] = [];
  let next = 0;
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const step = steps[Math.min(next, steps.length - 1)] ?? {};
    next += 1;
    if ('raw' in step) step.raw(request, response);
    else void answer(step, request, response).catch(() => response.destroy());
  };
  async function answer(step: Exclude<Step, { raw: unknown }>, request: IncomingMessage, response: ServerResponse) {
    const received = await receive(request);
    requests.push(received);
    const { status = 200, headers = {}, body = '' } = typeof step === 'function' ? step(received) : step;
    const isText = typeof body === 'string' || Buffer.isBuffer(body);
    response.writeHead(status, { ...(!isText && { 'content-type': 'application/json' }), ...headers });
    response.end(isText ? body : JSON.stringify(body));
  }

  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`, requests };
}

async function receive(request: IncomingMessage): Promise<ReceivedRequest> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece);
  const body = Buffer.concat(pieces);
  return {
    method: request.method ?? '',
    url: request.url ?? '',
    headers: request.headers,
    body,
    form: () => new Response(body, { headers: { 'content-type': request.headers['content-type'] ?? '' } }).formData(),
  };
}
