import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Cuts clients that do not read what they asked for. Node has limits for those who send slowly and none for those who
 * read slowly; each of them would hold a socket, a read of the origin and its buffers for as long as it likes.
 *
 * A socket with data waiting that does not get a single write done for `stallMs` is cut. A write is one chunk of 64 kB
 * at most, so an honest client may be as slow as 64 kB in that time. Resting connections have nothing waiting.
 *
 * @returns stops looking
 */
export function cutStalledReaders(server: Server, stallMs: number): () => void {
  const stalled = new Map<Socket, { readonly done: number; readonly since: number }>();
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => {
      sockets.delete(socket);
      stalled.delete(socket);
    });
  });

  const look = setInterval(() => {
    const now = performance.now();
    for (const socket of sockets) {
      const done = socket.bytesWritten - socket.writableLength;
      const before = stalled.get(socket);
      if (socket.writableLength === 0) stalled.delete(socket);
      else if (before?.done !== done) stalled.set(socket, { done, since: now });
      else if (now - before.since >= stallMs) socket.destroy();
    }
  }, stallMs / 4).unref();
  return () => clearInterval(look);
}
