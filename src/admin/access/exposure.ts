import { BlockList, isIP } from 'node:net';

/** A shorter token could be guessed by somebody who is patient. */
const shortestToken = 16;

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

export interface AdminAccess {
  /** The address the admin side listens on. */
  readonly host: string;
  /** May read and change. */
  readonly token?: string | undefined;
  /** May read only. */
  readonly readToken?: string | undefined;
}

/** True for addresses that only this machine can reach. A name other than `localhost` proves nothing. */
export function isLoopback(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return host.toLowerCase() === 'localhost';
  return loopback.check(host, family === 6 ? 'ipv6' : 'ipv4');
}

/**
 * What forbids the admin side to start, one sentence each with the mend in it; empty when nothing does. Without a
 * token everybody who can connect may change everything, so that is for loopback addresses only.
 */
export function adminAccessProblems({ host, token, readToken }: AdminAccess): string[] {
  const problems: string[] = [];
  if (token === undefined && readToken === undefined && !isLoopback(host)) {
    problems.push(
      `the admin side would listen on ${host} without a token: set LAZYFERRY_ADMIN_TOKEN, or listen on 127.0.0.1`,
    );
  }
  for (const [name, value] of [
    ['LAZYFERRY_ADMIN_TOKEN', token],
    ['LAZYFERRY_ADMIN_READ_TOKEN', readToken],
  ] as const) {
    if (value !== undefined && (value.length < shortestToken || !/^[\x21-\x7e]+$/.test(value))) {
      problems.push(
        `${name} must have at least ${shortestToken} printable ASCII characters and no spaces: make one with openssl rand -hex 32`,
      );
    }
  }
  if (token !== undefined && token === readToken) {
    problems.push('LAZYFERRY_ADMIN_READ_TOKEN equals LAZYFERRY_ADMIN_TOKEN: give each role a token of its own');
  }
  return problems;
}
