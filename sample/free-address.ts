import { createServer } from 'node:net';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** The wanted port where nobody listens on it, else one that the system chooses. */
export async function freeAddress(host: string, wanted: number): Promise<Address> {
  return { host, port: (await canListen(host, wanted)) ? wanted : 0 };
}

function canListen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ host, port }, () => probe.close(() => resolve(true)));
  });
}
