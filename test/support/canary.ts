import { createServer } from 'node:net';
import type { ConfigInput } from '../../src/config/schema.ts';
import { type ChaosOrigin, startChaosOrigin } from './chaos-origin.ts';
import { type LazyferryProcess, startLazyferry } from './lazyferry-process.ts';
import { proxyConfig } from './proxy-config.ts';

type MappingInput = ConfigInput['mappings'][number];

/** A running proxy before an origin that records every request, and a stranger that nobody may ever connect to. */
export interface Canary extends AsyncDisposable {
  readonly origin: ChaosOrigin;
  readonly proxy: LazyferryProcess;
  /** `127.0.0.1:PORT` of the stranger, to be named in attacks. */
  readonly stranger: string;
  /** Connections that the stranger got. */
  readonly strangerConnections: number;
}

/** What lies below the origin's `/base/` is the mapping's, where it names no other; everything else there is not. */
export async function startCanary(
  mappings: readonly (Omit<MappingInput, 'origin'> & { readonly origin?: string })[],
  config: Partial<ConfigInput> = {},
  environment: Readonly<Record<string, string>> = {},
): Promise<Canary> {
  const origin = await startChaosOrigin();
  let strangerConnections = 0;
  const server = createServer((socket) => {
    strangerConnections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  const base = { origin: `${origin.url}/base/`, network: { allowPrivate: true } };
  const file = proxyConfig(
    { ...config, mappings: mappings.map((mapping) => ({ ...base, ...mapping })) },
    { keep: true },
  );
  const proxy = await startLazyferry({ args: ['--config', file], environment });
  return {
    origin,
    proxy,
    stranger: `127.0.0.1:${address.port}`,
    get strangerConnections() {
      return strangerConnections;
    },
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await origin.close();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Runs over the inputs, some at a time. */
export async function inParallel<T>(
  inputs: readonly T[],
  run: (input: T) => Promise<void>,
  atATime = 32,
): Promise<void> {
  const left = inputs.values();
  await Promise.all(
    Array.from({ length: atATime }, async () => {
      for (const input of left) await run(input);
    }),
  );
}
