import type { RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Gives the handler no request behind an answer that is the last of its connection (RFC 9112 §9.6).
 *
 * Node hands it over all the same and only keeps its answer back: what is hidden behind a refused body, or in the
 * framing of one that somebody before us read otherwise, would be done unseen, uploads included.
 */
export function untilLastAnswer(handler: RequestListener): RequestListener {
  const ending = new WeakSet<Socket>();
  return (request, response) => {
    if (ending.has(request.socket)) return;
    handler(request, response);
    if (isLast(response)) ending.add(request.socket);
  };
}

function isLast(response: ServerResponse): boolean {
  return !response.shouldKeepAlive || response.getHeader('connection') === 'close';
}
