import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Role, Tokens } from './tokens.ts';

export const sessionCookie = 'lazyferry_session';

/** How long a login lasts, in milliseconds. */
export const sessionLifetime = 8 * 3600_000;

export interface Sessions {
  /** The cookie value of a new session. */
  issue(role: Role): string;
  /** The role of a presented cookie value; undefined when it is forged, expired or of other tokens. */
  read(value: string): Role | undefined;
}

/**
 * Dashboard sessions as signed values: `role.expiry.nonce.signature`. Nothing is kept, so every process of a fleet
 * knows the sessions of the others. The signing key comes from the tokens: changing a token ends each session.
 */
export function createSessions({ token, readToken }: Tokens, now: () => number = Date.now): Sessions {
  const secret = JSON.stringify([token ?? null, readToken ?? null]);
  const key = Buffer.from(hkdfSync('sha256', secret, 'lazyferry', 'admin session', 32));
  const sign = (text: string) => createHmac('sha256', key).update(text).digest('base64url');

  return {
    issue(role) {
      const content = `${role}.${now() + sessionLifetime}.${randomBytes(12).toString('base64url')}`;
      return `${content}.${sign(content)}`;
    },
    read(value) {
      const match = /^((read|operate)\.(\d{1,16})\.[\w-]{16})\.([\w-]{43})$/.exec(value);
      if (match === null) return undefined;
      const [, content = '', role, expiry, signature = ''] = match;
      if (!timingSafeEqual(Buffer.from(sign(content)), Buffer.from(signature))) return undefined;
      return Number(expiry) > now() ? (role as Role) : undefined;
    },
  };
}

/** The values of our cookie in a `Cookie` header: a client may send several, only one of which is ours. */
export function sessionValues(cookieHeader: string | undefined): string[] {
  return (cookieHeader ?? '').split(';').flatMap((pair) => {
    const [name, value] = pair.trim().split('=', 2);
    return name === sessionCookie && value !== undefined ? [value] : [];
  });
}
