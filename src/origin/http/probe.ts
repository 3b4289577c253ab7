import type { OriginRequest, OriginResponse } from '../origin.ts';

/** 4xx that speak of the object or of our pace, whatever the method. */
const honest: ReadonlySet<number> = new Set([404, 410, 412, 416, 429]);

/** Whether a HEAD may have failed for being a HEAD: some origins, signed URLs and firewalls allow GET alone. */
export function isHeadRefused(status: number): boolean {
  return status === 501 || (status >= 400 && status < 500 && !honest.has(status));
}

/** A GET that brings as little as possible: the first byte, unless the caller asked for a range of its own. */
export function probeRequest(request: OriginRequest): OriginRequest {
  return request.range === undefined ? { ...request, range: 'bytes=0-0' } : request;
}

/** What HEAD would have said, from the answer to {@link probeRequest}. */
export function wholeFromProbe(request: OriginRequest, probe: OriginResponse): OriginResponse {
  const total = probe.facts.bytes;
  const isPart = probe.status === 206 || (probe.status === 416 && total === 0);
  if (request.range !== undefined || !isPart) return probe;
  const { 'content-range': _, 'content-length': __, ...headers } = probe.headers;
  if (total === undefined) {
    const { length: ___, ...rest } = probe;
    return { ...rest, status: 200, headers };
  }
  return {
    ...probe,
    status: 200,
    headers: { ...headers, 'content-length': String(total) },
    length: total,
    framed: true,
  };
}
