import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { getResults, runTests } from 'http-cache-tests/client/runner.mjs';
import { determineTestResult } from 'http-cache-tests/lib/display.mjs';
import handleConfig from 'http-cache-tests/server/handle-config.mjs';
import handleState from 'http-cache-tests/server/handle-state.mjs';
import handleTest from 'http-cache-tests/server/handle-test.mjs';
import suites from 'http-cache-tests/tests/index.mjs';
import surrogateControl from 'http-cache-tests/tests/surrogate-control.mjs';

/**
 * Runs http-cache-tests through a proxy. Its server tells its client by headers which request it answers, and reads
 * the number of a request off another. lazyferry sends no header of a client's to an origin and passes few of an
 * origin's on, so this book-keeping goes beside it: the number of a request by memory, the number of an answer in
 * `Retry-After`, which is passed on and which no test of the suite uses.
 */

/** The suite's names of results, by the sign that it shows. */
const outcomes = {
  '✅': 'pass',
  '⛔️': 'fail',
  '⚠️': 'not-optimal',
  Y: 'yes',
  N: 'no',
  '🔹': 'setup-failed',
  '⁉️': 'harness-failed',
  '↻': 'retried',
} as const;

type Outcome = (typeof outcomes)[keyof typeof outcomes];

interface Finding {
  readonly id: string;
  readonly kind: 'required' | 'optimal' | 'check';
  readonly outcome: Outcome;
  /** What the suite says of a failure. */
  readonly says: string;
}

/** What its server tells its client by headers of each answer. */
const bookkeeping = [
  'server-base-url',
  'server-request-count',
  'client-request-count',
  'server-now',
  'request-numbers',
];
/** Headers of the origin that lazyferry promises to pass on as they are; the suite checks them on each answer. */
const passedOn = new Set([
  'accept-ranges',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-range',
  'content-type',
  'etag',
  'last-modified',
]);

export interface SuiteOrigin extends AsyncDisposable {
  readonly url: string;
  /** All tests of the suite for shared caches, `proxy` standing before this origin. It can run once in a process. */
  run(proxy: string): Promise<readonly Finding[]>;
}

/** Starts the suite's server on a free port of loopback. */
export async function startSuiteOrigin(): Promise<SuiteOrigin> {
  /** Number of the request that a test sends now, by the test's path. */
  const sending = new Map<string, string>();
  /** Book-keeping of each answer, by its number among all. */
  const answers = new Map<string, readonly (readonly [string, string])[]>();

  const answerTest = (segments: readonly string[], request: IncomingMessage, response: ServerResponse): void => {
    const id = segments[0] ?? '';
    request.headers['req-num'] = sending.get(id) ?? '0';
    const mark = String(answers.size + 1);
    response.setHeader('Retry-After', mark);
    handleTest(segments, request, response);
    answers.set(
      mark,
      bookkeeping.map((name) => [name, String(response.getHeader(name) ?? '')]),
    );
  };

  const server = createServer((request, response) => {
    const [, room, ...segments] = new URL(request.url ?? '/', 'http://origin/').pathname.split('/');
    if (room === 'config') handleConfig(segments, request, response);
    else if (room === 'state') handleState(segments, request, response);
    else answerTest(segments, request, response);
  });
  // Longer than any pause of the suite: no request meets a connection that is being closed.
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  const url = `http://127.0.0.1:${address.port}`;

  const fetchThrough = async (proxy: string, path: string, init?: RequestInit) => {
    const [, room, id = ''] = path.split(/[/?]/);
    if (room !== 'test') return room === 'state' ? readState(`${url}${path}`) : fetch(`${url}${path}`, init);
    sending.set(id, new Headers(init?.headers).get('req-num') ?? '');
    const response = await fetch(new URL(path, proxy), init);
    const headers = new Headers(response.headers);
    for (const [name, value] of answers.get(headers.get('retry-after') ?? '') ?? []) headers.set(name, value);
    headers.delete('retry-after');
    return { status: response.status, headers, text: () => response.text() };
  };

  return {
    url,
    run: async (proxy) => {
      const all = [...suites, surrogateControl];
      // The paths alone: where each goes is decided above. All at a time, for the suite waits 3 s in many tests.
      await runTests(all, (path, init) => fetchThrough(proxy, path, init), false, '', Number.POSITIVE_INFINITY);
      return findings(all);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** What the suite's server saw of a test, without the headers that lazyferry replaces. */
async function readState(url: string) {
  const response = await fetch(url);
  if (!response.ok) return response;
  const seen = (await response.json()) as { response_headers: [string, unknown][] }[];
  const kept = seen.map((request) => ({
    ...request,
    response_headers: request.response_headers.filter(([name]) => passedOn.has(name.toLowerCase())),
  }));
  return { status: 200, text: async () => JSON.stringify(kept) };
}

function findings(all: typeof suites): Finding[] {
  const results = getResults();
  const tests = all.flatMap((suite) => suite.tests).filter((test) => test.browser_only !== true);
  return tests.map(({ id, kind }) => {
    // Each test for itself: the suite hides those whose forerunner found no reuse, and they too say what is never reused.
    const [, , sign] = determineTestResult(all, id, results, false);
    const outcome = outcomes[sign as keyof typeof outcomes];
    if (outcome === undefined) throw new Error(`${id} has the unknown result ${sign}`);
    const result = results[id];
    return { id, kind: kind ?? 'required', outcome, says: Array.isArray(result) ? result.join(': ') : '' };
  });
}
