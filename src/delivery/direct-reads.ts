import type { Mapping } from '../config/schema.ts';

/** The part of an origin's connections that clients may hold by taking their time. */
const share = 3 / 4;

interface Turns {
  taken: number;
  readonly waiting: (() => void)[];
}

/**
 * Turns for reads of the origin that go as fast as one client takes them: parts of an object, and wholes that are not
 * kept. Whoever takes them slowly holds a connection for as long; so that a few such clients cannot hold all of them,
 * the rest stays for what is read at the origin's own pace: wholes for everybody, and uploads.
 */
export class DirectReads {
  readonly #byMapping = new Map<string, Turns>();

  /** Resolves in order of arrival, with the way to give the turn back. Rejects when the signal is aborted. */
  async turn({ prefix, network }: Mapping, signal: AbortSignal): Promise<() => void> {
    const turns = this.#byMapping.get(prefix) ?? { taken: 0, waiting: [] };
    this.#byMapping.set(prefix, turns);
    if (turns.taken < Math.max(1, Math.floor(network.connections * share))) turns.taken += 1;
    else await inheritedTurn(turns, signal);
    return () => {
      const next = turns.waiting.shift();
      if (next === undefined) turns.taken -= 1;
      else next();
    };
  }
}

/** Resolves when somebody gives the turn on: the number of those taken stays. */
function inheritedTurn({ waiting }: Turns, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const leave = () => {
    waiting.splice(waiting.indexOf(take), 1);
    reject(signal.reason);
  };
  const take = () => {
    signal.removeEventListener('abort', leave);
    resolve();
  };
  signal.throwIfAborted();
  waiting.push(take);
  signal.addEventListener('abort', leave, { once: true });
  return promise;
}
