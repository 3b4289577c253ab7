import type { IncomingMessage } from 'node:http';
import type { PathProblem } from './path.ts';
import type { Problem } from './problem.ts';

const answered: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);
export const methods = [...answered].join(', ');

/**
 * For a refusal that lies in what caches do not count, or count in another spelling than ours: kept under the URL, it
 * would be everybody's answer there (cache-poisoned denial of service).
 */
export const keptByNobody = { 'cache-control': 'no-store' } as const;

/** What makes a request one that delivery does not answer, whatever its path; undefined when nothing does. */
export function refuseRequest(request: IncomingMessage): Problem | undefined {
  const problem = problemOf(request);
  return problem === undefined ? undefined : { ...problem, headers: { ...keptByNobody, ...problem.headers } };
}

function problemOf(request: IncomingMessage): Problem | undefined {
  const { method = '', headers } = request;
  // HTTP/0.9 has no headers, so no host and no end of an answer but the connection's.
  if (request.httpVersionMajor !== 1) {
    return { status: 505, detail: 'HTTP/1.1 or HTTP/1.0 is spoken here.', headers: { connection: 'close' } };
  }
  // Whoever stands before us may have gone by the other one.
  if (hostCount(request.rawHeaders) > 1) {
    return { status: 400, detail: 'A request names one host.', headers: { connection: 'close' } };
  }
  // A body that is not read would be taken for the next request by somebody between us and the client.
  const hasBody = headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
  if (!answered.has(method)) {
    const close: Readonly<Record<string, string>> = hasBody ? { connection: 'close' } : {};
    return { status: 405, detail: `Media is read here: use ${methods}.`, headers: { allow: methods, ...close } };
  }
  if (hasBody) return { status: 400, detail: `A ${method} request has no body.`, headers: { connection: 'close' } };
  if (/(?:^|,)\s*lazyferry\s*(?:;|,|$)/i.test(String(headers['cdn-loop'] ?? ''))) {
    return { status: 508, detail: 'The request has been here before: a mapping’s origin leads back to lazyferry.' };
  }
  return undefined;
}

/** Node refuses a request without `Host`, and takes the first of several. */
function hostCount(rawHeaders: readonly string[]): number {
  return rawHeaders.filter((name, index) => index % 2 === 0 && name.length === 4 && /^host$/i.test(name)).length;
}

const targetProblems: Readonly<Record<PathProblem, string>> = {
  'not-origin-form': 'The request target is not a path that begins with /.',
  fragment: 'A request target has no fragment; write # as %23.',
  'too-long': 'The request target is longer than 8192 bytes.',
  'bad-percent-encoding': 'A % in the path is not followed by two hexadecimal digits; write it as %25.',
  'dot-segment': 'The path holds a . or .. segment; write the path it leads to.',
  'encoded-separator': 'The path holds an encoded slash.',
  backslash: 'The path holds a backslash.',
  'control-character': 'The request target holds a control character.',
  'overlong-utf8': 'The path holds overlong UTF-8.',
};

export function targetProblem(problem: PathProblem): Problem {
  return { status: problem === 'too-long' ? 414 : 400, detail: targetProblems[problem], headers: keptByNobody };
}
