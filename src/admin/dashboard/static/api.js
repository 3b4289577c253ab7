/**
 * @typedef {ReturnType<typeof import('../../api/views.ts').recordView>} Asset
 * @typedef {ReturnType<typeof import('../../api/views.ts').jobView>} Job
 * @typedef {import('../../api/coverage.ts').Coverage} Coverage
 * @typedef {import('../../api/failure-counts.ts').FailureCount} FailureCount
 * @typedef {ReturnType<import('../../api/asset-run.ts').AssetRun['view']>} Run
 * @typedef {import('../../health.ts').Readiness & { version: string }} Status
 * @typedef {{ role: 'read' | 'operate', via: 'token' | 'session' | 'local' }} Session
 * @typedef {{ status: Status, jobs: Job[], runs: Run[], coverage: Coverage[] | null, failures: readonly FailureCount[] | null, recent: Asset[] | null }} Overview
 */

const longestWait = 30_000;

/** The API refused; `message` is the server's own sentence. */
export class Refusal extends Error {
  /** @param {number} status @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** @param {string} path @param {Record<string, string>} [query] */
export async function read(path, query = {}) {
  const filled = Object.entries(query).filter(([, value]) => value !== '');
  const search = filled.length === 0 ? '' : `?${new URLSearchParams(filled)}`;
  return await send(`${path}${search}`, { method: 'GET' });
}

/** @param {string} path @param {unknown} body */
export async function change(path, body) {
  return await send(path, { method: 'POST', body: JSON.stringify(body) });
}

export async function logOut() {
  await send('/login', { method: 'DELETE' });
}

/** @param {string} path @param {RequestInit} options */
async function send(path, options) {
  const response = await fetch(path, {
    ...options,
    headers: { 'content-type': 'application/json', 'x-lazyferry-request': '1' },
    signal: AbortSignal.timeout(longestWait),
  }).catch((error) => {
    const why =
      error?.name === 'TimeoutError' ? 'no answer yet; it may still be under way' : 'the server does not answer';
    throw new Refusal(0, why);
  });
  if (response.status === 204) return undefined;
  const body = await response.json().catch(() => undefined);
  if (response.ok) return body;
  const refusal = new Refusal(response.status, body?.error?.message ?? `the server answered ${response.status}`);
  if (response.status === 401) document.dispatchEvent(new CustomEvent('logged-out'));
  throw refusal;
}
