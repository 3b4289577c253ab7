import type { Request, RequestHandler, Response } from 'express';
import { ApiError } from '../api/api-error.ts';
import type { FailedTokens } from './failed-tokens.ts';
import { type Sessions, sessionValues } from './session.ts';
import type { Role } from './tokens.ts';

/** Who asks: with a bearer token, by a dashboard session, or on loopback where no tokens are configured. */
export interface Access {
  readonly role: Role;
  readonly via: 'token' | 'session' | 'local';
}

export interface AccessDependencies {
  /** False where no tokens are configured: then everybody who can connect may do everything. */
  readonly guarded: boolean;
  readonly checkToken: (presented: string) => Role | undefined;
  readonly sessions: Sessions;
  readonly failedTokens: FailedTokens;
  /** Told of each wrong token. */
  readonly onWrongToken: (address: string) => void;
}

/** What {@link identify} found out. */
export function accessOf(response: Response): Access | undefined {
  return response.locals.access as Access | undefined;
}

export function addressOf(request: Request): string {
  return request.socket.remoteAddress ?? 'unknown';
}

/** Finds out who asks; refuses a wrong token at once. */
export function identify(dependencies: AccessDependencies): RequestHandler {
  const { guarded, sessions } = dependencies;
  return (request, response, next) => {
    const header = request.headers.authorization;
    let access: Access | undefined;
    if (!guarded) {
      access = { role: 'operate', via: 'local' };
    } else if (header !== undefined) {
      const token = /^bearer +(\S+)$/i.exec(header)?.[1] ?? '';
      access = { role: presentToken(dependencies, token, request, response), via: 'token' };
    } else {
      const role = sessionValues(request.headers.cookie)
        .map((value) => sessions.read(value))
        .find((found) => found !== undefined);
      if (role !== undefined) access = { role, via: 'session' };
    }
    response.locals.access = access;
    next();
  };
}

/**
 * The role of a token, under the limit on wrong ones.
 *
 * @throws {ApiError} 401 for a wrong token, 429 after too many of them
 */
export function presentToken(
  { checkToken, failedTokens, onWrongToken }: AccessDependencies,
  token: string,
  request: Request,
  response: Response,
): Role {
  const address = addressOf(request);
  const wait = failedTokens.blockedFor(address);
  if (wait > 0) {
    response.set('retry-after', String(wait));
    throw new ApiError(429, 'too-many-wrong-tokens', `too many wrong tokens from ${address}: try again in ${wait} s`);
  }
  const role = checkToken(token);
  if (role !== undefined) return role;
  failedTokens.record(address);
  onWrongToken(address);
  response.set('www-authenticate', 'Bearer realm="lazyferry admin", error="invalid_token"');
  throw new ApiError(401, 'wrong-token', 'this token is not known here: send "Authorization: Bearer TOKEN"');
}

/** Lets through only who has the role. */
export function requireRole(role: Role): RequestHandler {
  return (_request, response, next) => {
    const access = accessOf(response);
    if (access === undefined) {
      response.set('www-authenticate', 'Bearer realm="lazyferry admin"');
      throw new ApiError(401, 'token-missing', 'this needs a token: send "Authorization: Bearer TOKEN", or log in');
    }
    if (role === 'operate' && access.role !== 'operate') {
      response.set('www-authenticate', 'Bearer realm="lazyferry admin", error="insufficient_scope"');
      throw new ApiError(
        403,
        'role-too-small',
        'this token may only read: a change needs the token with the role operate',
      );
    }
    next();
  };
}
