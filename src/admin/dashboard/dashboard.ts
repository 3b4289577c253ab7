import { fileURLToPath } from 'node:url';
import express, { Router } from 'express';
import { only } from '../api/api-error.ts';
import { pageHtml } from './page.ts';

const staticFiles = fileURLToPath(new URL('./static/', import.meta.url));

/**
 * The dashboard: one page and its modules. They hold nothing secret, so they need no token: the page asks the API,
 * and shows the login where that refuses.
 */
export function createDashboard(facts: { readonly version: string; readonly guarded: boolean }): Router {
  const page = pageHtml(facts);
  const router = Router();
  router
    .route('/')
    .get((_request, response) => void response.set('cache-control', 'no-store').type('html').send(page))
    .all(only('GET', 'HEAD'));
  router.use(
    '/static',
    express.static(staticFiles, {
      index: false,
      redirect: false,
      dotfiles: 'ignore',
      setHeaders: (response) => void response.setHeader('cache-control', 'no-cache'),
    }),
  );
  return router;
}
