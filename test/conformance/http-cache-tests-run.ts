import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { getResults, runTests } from 'http-cache-tests/client/runner.mjs';
import { determineTestResult } from 'http-cache-tests/lib/display.mjs';
import handleConfig from 'http-cache-tests/server/handle-config.mjs';
import handleState from 'http-cache-tests/server/handle-state.mjs';
import handleTest from 'http-cache-tests/server/handle-test.mjs';
import { setStash, stash } from 'http-cache-tests/server/utils.mjs';
import suites from 'http-cache-tests/tests/index.mjs';
import surrogateControl from 'http-cache-tests/tests/surrogate-control.mjs';

/**
 * Runs http-cache-tests through a proxy. Its server tells its client by headers which request it answers, and reads
 * the number of a request off another. lazyferry sends no header of a client's to an origin and passes few of an
 * origin's on, so this book-keeping goes beside it: the number of a request by memory, the number of an answer in
 * `Retry-After`, which is passed on and which no test of the suite uses. A hit stands for the answer it is a copy of.
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

export interface Finding {
  readonly id: string;
  readonly kind: 'required' | 'optimal' | 'check';
  readonly outcome: Outcome;
  /** What the suite says of a failure. */
  readonly says: string;
}

function isFor({ method, range }: Asking, request: IncomingMessage): boolean {
  return request.method === method && request.headers.range === range;
}

/** What the suite's paths get at their end, for a mapping to judge by. */
const extension = '.txt';

function withoutExtension(name: string): string {
  return name.endsWith(extension) ? name.slice(0, -extension.length) : name;
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
  /**
   * All tests of the suite for shared caches, `proxy` standing before this origin. It can run once in a process.
   *
   * @param settled waits for the copy of what was answered from the origin, by its path. With it those tests run whose
   *   first answer can be stored, and their second request finds the copy.
   */
  run(proxy: string, settled?: (path: string) => Promise<unknown>): Promise<readonly Finding[]>;
}

/** What a test asks for now. */
interface Asking {
  readonly number: string;
  readonly method: string;
  readonly range: string | undefined;
  /** Whether the origin has heard of it. */
  heard: boolean;
}

interface Through {
  readonly proxy: string;
  readonly settled: ((path: string) => Promise<unknown>) | undefined;
}

/** Suites on how the lifetime of an answer is spelled. A copy has none, as the suites on lifetimes themselves show. */
const spellings = new Set(['age-parse', 'cc-parse', 'expires-parse']);

/** What can be asked of copies: the tests that begin with an answer of status 200, for of others there is never one. */
function ofCopies(all: readonly Suite[]): readonly Suite[] {
  const isStorable = ({ requests: [first] }: Suite['tests'][number]) => (first?.response_status?.[0] ?? 200) === 200;
  return all
    .filter(({ id }) => !spellings.has(id))
    .map((suite) => ({ ...suite, tests: suite.tests.filter(isStorable) }));
}

/** Starts the suite's server on a free port of loopback. */
export async function startSuiteOrigin(): Promise<SuiteOrigin> {
  /** By the test's own part of its path. */
  const asking = new Map<string, Asking>();
  /** Book-keeping of each answer, by its number among all. */
  const answers = new Map<string, readonly (readonly [string, string])[]>();
  /** Whether copies are made. */
  let copied = false;
  /** Number of the latest answer to each test. */
  const latest = new Map<string, string>();

  const answerTest = ([name = '']: readonly string[], request: IncomingMessage, response: ServerResponse): void => {
    const id = withoutExtension(name);
    const asked = asking.get(id);
    request.headers['req-num'] = asked?.number ?? '0';
    const seen = [...(stash.get(id) ?? [])];
    const mark = String(answers.size + 1);
    response.setHeader('Retry-After', mark);
    handleTest([id], request, response);
    if (copied && (asked === undefined || asked.heard || !isFor(asked, request))) {
      // A read of lazyferry's own, for the copy. The suite counts the requests that its client has made.
      setStash(id, seen);
      return;
    }
    if (asked !== undefined) asked.heard = true;
    answers.set(
      mark,
      bookkeeping.map((header) => [header, String(response.getHeader(header) ?? '')]),
    );
    latest.set(id, mark);
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

  const fetchThrough = async (through: Through, path: string, init?: RequestInit) => {
    const [, room, id = ''] = path.split(/[/?]/);
    if (room !== 'test') return room === 'state' ? readState(`${url}${path}`) : fetch(`${url}${path}`, init);
    const sent = new Headers(init?.headers);
    // As the suite does itself where a test names no headers: else fetch adds that nothing stored is wanted.
    if (!sent.has('cache-control')) sent.set('cache-control', 'nothing-to-see-here');
    if (!sent.has('pragma')) sent.set('pragma', 'foo');
    const method = init?.method ?? 'GET';
    const range = sent.get('range') ?? undefined;
    asking.set(id, { number: sent.get('req-num') ?? '', method, range, heard: false });
    const target = new URL(path, through.proxy);
    target.pathname += extension;
    const response = await fetch(target, { ...init, headers: sent });
    const headers = new Headers(response.headers);
    const hit = headers.get('cache-status')?.endsWith('; hit') === true;
    const kept = answers.get((hit ? latest.get(id) : headers.get('retry-after')) ?? '');
    for (const [name, value] of kept ?? []) headers.set(name, value);
    headers.delete('retry-after');
    const body = response.text();
    if (!hit && kept !== undefined) await Promise.allSettled([body, through.settled?.(target.pathname)]);
    return { status: response.status, headers, text: () => body };
  };

  return {
    url,
    run: async (proxy, settled) => {
      copied = settled !== undefined;
      const every = [...suites, surrogateControl];
      const all = settled === undefined ? every : ofCopies(every);
      const send = (path: string, init?: RequestInit) => fetchThrough({ proxy, settled }, path, init);
      // The paths alone: where each goes is decided above. All at a time, for the suite waits 3 s in many tests.
      await runTests(all, send, false, '', Number.POSITIVE_INFINITY);
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
