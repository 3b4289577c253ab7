import express, { type CookieOptions, type Request, Router } from 'express';
import { z } from 'zod';
import { type AccessDependencies, addressOf, presentToken } from './access/access.ts';
import { sessionCookie, sessionLifetime, sessionValues } from './access/session.ts';
import { only } from './api/api-error.ts';
import { parseInput } from './api/input.ts';
import type { Audit } from './audit.ts';

const loginBody = z.strictObject({ token: z.string().min(1, 'type the token') });

/** `POST /login` turns a token into a session cookie that no script can read; `DELETE /login` ends that session. */
export function createLogin(access: AccessDependencies, audit: Audit): Router {
  const router = Router();
  router
    .route('/')
    .post(express.json({ limit: '16kb' }), (request, response) => {
      const { token } = parseInput(loginBody, request.body);
      const role = presentToken(access, token, request, response);
      response.cookie(sessionCookie, access.sessions.issue(role), {
        ...cookieOptions(request),
        maxAge: sessionLifetime,
      });
      audit({ action: 'login', by: `${role} by token`, address: addressOf(request), outcome: 'done' });
      response.json({ role });
    })
    .delete((request, response) => {
      const role = sessionValues(request.headers.cookie)
        .map((value) => access.sessions.end(value))
        .find((found) => found !== undefined);
      response.clearCookie(sessionCookie, cookieOptions(request));
      const by = role === undefined ? 'nobody' : (`${role} by session` as const);
      audit({ action: 'logout', by, address: addressOf(request), outcome: 'done' });
      response.status(204).end();
    })
    .all(only('POST', 'DELETE'));
  return router;
}

/** `Secure` where the browser came by https: then something in front of us ends TLS, and it stays that way. */
function cookieOptions(request: Request): CookieOptions {
  const secure = request.headers.origin?.startsWith('https://') ?? false;
  return { httpOnly: true, sameSite: 'strict', path: '/', secure };
}
