import { isLoopbackHost, isPrivateHost } from './private-host.ts';
import type { ConfigPath } from './problem.ts';
import type { ResolvedConfig } from './resolved.ts';
import type { Mapping } from './schema.ts';

export interface Doubt {
  readonly path: ConfigPath;
  readonly message: string;
  readonly mend?: string;
}

/** What is legal but probably not meant, or meant by few. */
export function doubtsAbout(config: ResolvedConfig): Doubt[] {
  const doubts = config.mappings.flatMap((mapping, index) =>
    doubtsAboutMapping(mapping, config).map(({ path, ...doubt }) => ({ path: ['mappings', index, ...path], ...doubt })),
  );
  if (config.ledger.url.startsWith('redis://') && !isPrivateUrl(config.ledger.url)) {
    doubts.push({ path: ['ledger', 'url'], message: 'Redis is reached without TLS', mend: 'write rediss://' });
  }
  return doubts;
}

function doubtsAboutMapping(mapping: Mapping, config: ResolvedConfig): Doubt[] {
  const doubts: Doubt[] = [];
  const doubt = (path: ConfigPath, message: string, mend: string) => doubts.push({ path, message, mend });
  const privateOrigin = isPrivateUrl(mapping.origin);
  const remoteOnly = mapping.upload.via === 'remote-url';

  if (
    mapping.origin.startsWith('http:') &&
    mapping.auth !== null &&
    !isLoopbackHost(new URL(mapping.origin).hostname)
  ) {
    doubt(['auth'], 'the credentials go to the origin in the clear', 'write the origin with https://');
  }
  if (privateOrigin && !mapping.network.allowPrivate) {
    doubt(['origin'], 'lies in a private network and will be refused', 'add network: { allowPrivate: true }');
  }
  if (remoteOnly && privateOrigin && config.store.url !== undefined) {
    doubt(['upload', 'via'], 'the store cannot reach a private origin', 'write via: auto or via: bytes');
  }
  if (remoteOnly && mapping.auth !== null) {
    doubt(['upload', 'via'], 'the store is never given the credentials of the origin', 'write via: auto or via: bytes');
  }
  if (mapping.redirectStatus === 301 || mapping.redirectStatus === 308) {
    doubt(['redirectStatus'], 'browsers keep a permanent redirect: there is no way back', 'write 302 or 307');
  }
  if (mapping.query === 'key') {
    doubt(['query'], 'each different query makes an upload of its own', 'name the parameters that count, as a list');
  }
  if (mapping.upload.overwrite) {
    doubt(['upload', 'overwrite'], 'replaces what the account already holds', 'leave it off unless that is meant');
  }
  return doubts;
}

function isPrivateUrl(url: string): boolean {
  return URL.canParse(url) && isPrivateHost(new URL(url).hostname);
}
