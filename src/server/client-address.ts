import type { IncomingMessage } from 'node:http';
import { compile, default as proxyAddress } from 'proxy-addr';

/**
 * Tells the client's address: the last one in `X-Forwarded-For` that is not a trusted proxy's. Without trusted proxies
 * it is the address of the connection: anybody can write that header.
 */
export function clientAddress(trustedProxies: readonly string[]): (request: IncomingMessage) => string {
  const trust = compile([...trustedProxies]);
  return (request) => proxyAddress(request, trust);
}
