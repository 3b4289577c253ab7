import { Agent, request } from 'undici';
import type { LazyferryProcess } from '../support/lazyferry-process.ts';
import type { ChaosAsset } from './assets.ts';

export interface ClientCounts {
  requests: number;
  fromOrigin: number;
  fromStore: number;
  /** Cut off because their process was killed or stood still: nobody can answer then. */
  cutOff: number;
  /** What must never be: wrong bytes, an error of ours, a connection lost without a reason. */
  readonly wrong: string[];
}

/** Where a client may go: see `Seat`. */
interface Seated {
  readonly process: Pick<LazyferryProcess, 'delivery'> | undefined;
  readonly disturbances: number;
}

export interface Clients {
  readonly counts: ClientCounts;
  /** Ends the load; resolves when the last answer is in. */
  stop(): Promise<void>;
}

/** So many clients that ask for assets at random, one after the other, and compare each byte that they get. */
export function startClients(seats: readonly Seated[], assets: readonly ChaosAsset[], many: number): Clients {
  const counts: ClientCounts = { requests: 0, fromOrigin: 0, fromStore: 0, cutOff: 0, wrong: [] };
  const agent = new Agent({ connections: many, headersTimeout: 20_000, bodyTimeout: 20_000, allowH2: false });
  let stopped = false;

  const client = async () => {
    while (!stopped) {
      const standing = seats.filter(({ process }) => process !== undefined);
      const seat = standing[Math.floor(Math.random() * standing.length)];
      const asset = assets[Math.floor(Math.random() * assets.length)];
      if (seat === undefined || asset === undefined) {
        await new Promise(setImmediate);
        continue;
      }
      await ask(seat, asset, agent, counts);
    }
  };
  const clients = Array.from({ length: many }, client);
  return {
    counts,
    async stop() {
      stopped = true;
      await Promise.all(clients);
      await agent.close();
    },
  };
}

async function ask(seat: Seated, asset: ChaosAsset, agent: Agent, counts: ClientCounts): Promise<void> {
  const { process, disturbances } = seat;
  counts.requests += 1;
  try {
    const answer = await get(`${process?.delivery}${asset.path}`, agent);
    const whole = answer.location === undefined ? answer : await get(answer.location, agent);
    if (whole.status !== 200 || !whole.body.equals(asset.bytes))
      counts.wrong.push(`${asset.path}: ${answer.status}, then ${whole.status} with ${whole.body.length} bytes`);
    else if (answer.location === undefined) counts.fromOrigin += 1;
    else counts.fromStore += 1;
  } catch (error) {
    if (seat.disturbances !== disturbances) counts.cutOff += 1;
    else counts.wrong.push(`${asset.path}: ${String(error)}`);
  }
}

async function get(url: string, dispatcher: Agent): Promise<{ status: number; body: Buffer; location?: string }> {
  const { statusCode, headers, body } = await request(url, { dispatcher });
  const bytes = Buffer.from(await body.arrayBuffer());
  const location = statusCode === 302 && typeof headers.location === 'string' ? { location: headers.location } : {};
  return { status: statusCode, body: bytes, ...location };
}
