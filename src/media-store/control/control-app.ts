import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import { z } from 'zod';
import type { HourlyLimit } from '../admin/rate-limit.ts';
import type { Faults } from './faults.ts';
import type { RequestCounter } from './request-counts.ts';

const faultSchema = z.strictObject({
  method: z.string().optional(),
  path: z.string().optional(),
  times: z.number().int().positive().optional(),
  delay: z.number().nonnegative().optional(),
  status: z.number().int().min(200).max(599).optional(),
  body: z.string().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  reset: z.enum(['before', 'after']).optional(),
});

const limitSchema = z.strictObject({ adminCallsPerHour: z.number().int().nonnegative() });

/**
 * The switches of a store in another process: `GET /counts`, `GET|POST|DELETE /faults`, `PUT /rate-limit`. For a
 * loopback listener of its own; nothing of it is reachable where uploads and deliveries are.
 */
export function createControlApp(parts: { faults: Faults; limit: HourlyLimit; counter: RequestCounter }): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(requireLoopbackHost, express.json({ limit: '100kb' }));
  app.get('/counts', (_request, response) => {
    response.json(parts.counter.counts());
  });
  app.get('/faults', (_request, response) => {
    response.json(parts.faults.list());
  });
  app.post('/faults', (request, response) => {
    // zod gives `undefined` for what is absent; a fault has no such keys.
    parts.faults.add(JSON.parse(JSON.stringify(faultSchema.parse(request.body))));
    response.status(201).json(parts.faults.list());
  });
  app.delete('/faults', (_request, response) => {
    parts.faults.clear();
    response.json([]);
  });
  app.put('/rate-limit', (request, response) => {
    const { adminCallsPerHour } = limitSchema.parse(request.body);
    parts.limit.set(adminCallsPerHour);
    response.json({ adminCallsPerHour });
  });
  app.use(answerErrors);
  return app;
}

/** A page in a browser may not reach the switches under a name of its own (DNS rebinding). */
const requireLoopbackHost: RequestHandler = (request, response, next) => {
  if (/^(?:127(?:\.\d+){3}|localhost|\[::1\])(?::\d+)?$/.test(request.headers.host ?? '')) next();
  else response.status(403).json({ error: { message: 'only by a loopback address' } });
};

const answerErrors: ErrorRequestHandler = (error: unknown, _request, response, _next) => {
  const message = error instanceof z.ZodError ? z.prettifyError(error) : 'a JSON body is expected';
  response.status(400).json({ error: { message } });
};
