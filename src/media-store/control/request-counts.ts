import type { RequestHandler } from 'express';

/** Requests since the start, by what they ask for. */
export interface RequestCounts {
  readonly uploads: number;
  readonly admin: number;
  readonly deliveries: number;
  readonly others: number;
}

/** Counts what reaches the store, faults included: how a test sees that an asset was uploaded once. */
export class RequestCounter {
  #counts: RequestCounts = { uploads: 0, admin: 0, deliveries: 0, others: 0 };

  counts(): RequestCounts {
    return this.#counts;
  }

  readonly middleware: RequestHandler = (request, _response, next) => {
    const kind = kindOf(request.method, request.path);
    this.#counts = { ...this.#counts, [kind]: this.#counts[kind] + 1 };
    next();
  };
}

const uploadPath = /^\/v1_1\/[^/]+(?:\/(?:image|video|raw|auto))?\/(?:upload|upload_chunked|private|authenticated)$/;
const adminPath =
  /^\/v1_1\/[^/]+\/(?:ping|usage|resources|tags|upload_mappings|upload_presets|transformations)(?:\/|$)/;

function kindOf(method: string, path: string): keyof RequestCounts {
  if (method === 'OPTIONS') return 'others';
  if (method === 'POST' && uploadPath.test(path)) return 'uploads';
  if (adminPath.test(path)) return 'admin';
  return path.startsWith('/v1_1/') ? 'others' : 'deliveries';
}
