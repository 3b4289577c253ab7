import { setTimeout as delay } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { startChaosOrigin } from '../../support/chaos-origin.ts';
import { freePort } from '../../support/child.ts';
import { type BalancedProcess, startHaproxy } from '../../support/haproxy.ts';
import { startLazyferry } from '../../support/lazyferry-process.ts';
import { proxyConfig } from '../../support/proxy-config.ts';
import { getRaw } from '../../support/raw-http.ts';

interface Seen {
  readonly status: number;
  readonly server: string | undefined;
}

/**
 * Two processes behind HAProxy, and clients that ask without end.
 *
 * @param restarts how many of the two are restarted, one after the other
 * @returns what the clients got
 */
async function restart(restarts: 1 | 2, drain: string): Promise<readonly Seen[]> {
  await using cleanup = new AsyncDisposableStack();
  const origin = await startChaosOrigin();
  cleanup.defer(() => origin.close());
  origin.put('/a.jpg', Buffer.alloc(1_000));
  const start = async ({ delivery, admin }: BalancedProcess) => {
    const config = proxyConfig({
      listen: { delivery: `127.0.0.1:${delivery}`, admin: `127.0.0.1:${admin}` },
      shutdown: { drain },
      mappings: [{ prefix: '/', origin: `${origin.url}/`, network: { allowPrivate: true }, allow: { extensions: [] } }],
    });
    return cleanup.use(await startLazyferry({ args: ['--config', config] }));
  };
  const ports = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const processes = [
    { delivery: ports[0], admin: ports[1] },
    { delivery: ports[2], admin: ports[3] },
  ];
  const running = await Promise.all(processes.map(start));
  const balancer = await startHaproxy(processes);
  cleanup.defer(() => balancer.close());

  const seen: Seen[] = [];
  let over = false;
  cleanup.defer(() => {
    over = true;
  });
  const client = async () => {
    while (!over) {
      const { status, headers } = await getRaw(balancer.url, '/a.jpg');
      seen.push({ status, server: headers['x-server'] });
      // A pace that leaves the machine time to start a process.
      await delay(10);
    }
  };
  const clients = Array.from({ length: 4 }, client);
  const bothAnswer = async () => {
    const from = seen.length;
    const answers = (number: string) =>
      seen.slice(from).some(({ status, server }) => status === 200 && server === number);
    await vi.waitUntil(() => answers('0') && answers('1'), 10_000);
  };
  await bothAnswer();
  for (const [number, place] of processes.slice(0, restarts).entries()) {
    await running[number]?.terminate();
    await start(place);
    await bothAnswer();
  }
  over = true;
  await Promise.all(clients);
  return seen;
}

test('no request is lost while one process after the other is restarted behind HAProxy', async () => {
  const seen = await restart(2, '2s');
  expect(seen.filter(({ status }) => status !== 200)).toEqual([]);
}, 60_000);

test('some would be, were a process to stop before the balancer’s health check can know', async () => {
  const seen = await restart(1, '1ms');
  expect(seen.some(({ status }) => status === 502 || status === 503)).toBe(true);
}, 60_000);
