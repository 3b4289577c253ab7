import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface DistantLink extends AsyncDisposable {
  /** What stands at its near end: `http://127.0.0.1:PORT`. */
  readonly url: string;
}

/** A TCP relay to `target`, whose other end is `delayMs` away: what either side sends, its closing too, comes so much later. */
export async function startDistantLink(target: string, delayMs: number): Promise<DistantLink> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const carry = (from: Socket, to: Socket): void => {
    const later = (act: () => void) => setTimeout(act, delayMs);
    from.on('error', () => {});
    from.on('data', (chunk) => later(() => to.write(chunk)));
    from.on('end', () => later(() => to.end()));
    from.on('close', (failed) => later(() => (failed ? to.resetAndDestroy() : to.end())));
  };
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    for (const socket of [near, far]) sockets.add(socket.on('close', () => sockets.delete(socket)));
    carry(near, far);
    carry(far, near);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
