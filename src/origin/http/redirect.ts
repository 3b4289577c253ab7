import { AssetFailure } from '../../asset/failure.ts';

export interface RedirectRules {
  readonly maxRedirects: number;
  /** Other hosts a redirect may lead to: `cdn.example.com`, or with a port that is not the scheme's own. */
  readonly redirectHosts: readonly string[];
}

/** Statuses that say "fetch it there" (RFC 9110 §15.4); 300 and 304 to 306 do not. */
const followed: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Where a redirect leads; undefined when the answer is none. `visited` holds each URL asked so far, the redirecting
 * one last. The address is judged again when the next hop connects.
 *
 * @throws {AssetFailure} `origin-blocked` for a place the mapping does not allow, `origin-error` for a chain without end
 */
export function nextHop(
  status: number,
  location: string | undefined,
  visited: readonly [URL, ...URL[]],
  rules: RedirectRules,
): URL | undefined {
  if (!followed.has(status) || location === undefined) return undefined;
  const from = visited.at(-1) ?? visited[0];
  if (!URL.canParse(location, from.href)) {
    throw new AssetFailure('origin-error', { detail: 'the origin redirects to something that is no URL', status });
  }
  const to = new URL(location, from);
  to.hash = '';
  const because = refusal(from, to, visited[0], rules.redirectHosts);
  if (because !== undefined) {
    throw new AssetFailure('origin-blocked', {
      detail: `the origin redirects to ${withoutQuery(to)}: ${because}`,
      status,
      hint: 'list the host under network.redirectHosts if it is to be followed',
    });
  }
  if (visited.some((url) => url.href === to.href)) {
    throw new AssetFailure('origin-error', { detail: `the origin redirects in a loop: ${withoutQuery(to)}`, status });
  }
  if (visited.length > rules.maxRedirects) {
    throw new AssetFailure('origin-error', {
      detail: `the origin redirects more than ${rules.maxRedirects} times`,
      status,
      hint: 'raise network.maxRedirects if so many hops are right',
    });
  }
  return to;
}

function refusal(from: URL, to: URL, first: URL, redirectHosts: readonly string[]): string | undefined {
  if (to.protocol !== 'http:' && to.protocol !== 'https:') return 'only http and https are followed';
  if (from.protocol === 'https:' && to.protocol === 'http:') return 'from https to http is never followed';
  if (to.username !== '' || to.password !== '') return 'a URL with a user name or password is never followed';
  // `host` leaves out the scheme's own port: from http://a to https://a, as nearly every site does, is the same host.
  if (to.host === first.host || redirectHosts.includes(to.host)) return undefined;
  return 'another host';
}

/** For messages: a redirect's query may be a signature. */
function withoutQuery(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}
