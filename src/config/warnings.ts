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
  return [...doubts, ...doubtsAboutStore(config), ...doubtsAboutAccess(config)];
}

/** The Admin API takes the secret itself. */
function doubtsAboutStore({ store }: ResolvedConfig): Doubt[] {
  const doubt = { message: 'the API secret goes to the store in the clear', mend: 'write the API host with https://' };
  if (store.uploadPrefix !== undefined) {
    return isOpenHttp(store.uploadPrefix) ? [{ path: ['store', 'uploadPrefix'], ...doubt }] : [];
  }
  const prefix = URL.canParse(store.url ?? '') ? new URL(store.url ?? '').searchParams.get('upload_prefix') : null;
  return prefix !== null && isOpenHttp(prefix) ? [{ path: ['store', 'url'], ...doubt }] : [];
}

function doubtsAboutAccess({ admin, listen }: ResolvedConfig): Doubt[] {
  const doubts: Doubt[] = [];
  if (admin.hosts.length > 0 && admin.token === undefined && admin.readToken === undefined) {
    const message = 'whoever reaches the admin side by these names may change everything';
    doubts.push({ path: ['admin', 'hosts'], message, mend: 'set LAZYFERRY_ADMIN_TOKEN' });
  }
  for (const [index, network] of listen.trustedProxies.entries()) {
    if (!/\/[0-7]$/.test(network)) continue;
    const message = 'nearly everybody is taken for a proxy, and may say who the client is';
    doubts.push({ path: ['listen', 'trustedProxies', index], message, mend: 'name the networks of the CDN only' });
  }
  return doubts;
}

function isOpenHttp(url: string): boolean {
  return /^http:/i.test(url) && URL.canParse(url) && !isLoopbackHost(new URL(url).hostname);
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
