import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setImmediate } from 'node:timers/promises';

export interface HastyServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** Resolves when a client on this event loop has seen all that was sent and the end of the connection. */
  seen(): Promise<void>;
}

/** Sends `content` with its length, and closes the connection behind it, which it had not announced. */
export async function startHastyServer(content: Buffer): Promise<HastyServer> {
  const sent = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: ${content.length}\r\n\r\n`);
      socket.end(content, sent.resolve);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen: async () => {
      await sent.promise;
      for (let turn = 0; turn < 50; turn += 1) await setImmediate();
    },
    [Symbol.asyncDispose]: async () => {
      server.close();
    },
  };
}
