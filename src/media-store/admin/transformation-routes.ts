import { Router } from 'express';
import type { Staging } from '../files/staging.ts';
import type { SettingsTable } from '../index/settings-table.ts';
import { StoreError } from '../store-error.ts';
import { parseTransformation } from '../transformation/parse.ts';
import type { Fields } from '../upload/intake/submission.ts';
import { requireText } from '../upload/parameter-values.ts';
import { adminFields, cursorOf, encodeCursor, pageSizeOf } from './admin-fields.ts';

/** A transformation under a name, used as `t_name`. */
export interface NamedTransformation {
  readonly name: string;
  readonly definition: string;
}

/** `transformations`: the named ones. Mounted under `/v1_1/{cloud}`. */
export function transformationRoutes(named: SettingsTable<NamedTransformation>, staging: Staging): Router {
  const router = Router();

  router.get('/transformations', async (request, response) => {
    const fields = await adminFields(request, staging);
    if (fields.has('transformation')) {
      const { name, definition } = find(fields);
      response.json({
        name: `t_${name}`,
        named: true,
        allowed_for_strict: true,
        info: [{ raw_transformation: definition }],
      });
      return;
    }
    const size = pageSizeOf(fields);
    const page = named.list(size + 1, cursorOf(fields));
    const shown = page.slice(0, size);
    const last = shown.at(-1);
    const next = page.length > size && last !== undefined ? { next_cursor: encodeCursor(last.name) } : {};
    response.json({
      transformations: shown.map(({ name }) => ({ name: `t_${name}`, named: true, allowed_for_strict: true })),
      ...next,
    });
  });

  router.post('/transformations', async (request, response) => {
    const fields = await adminFields(request, staging);
    const name = requireText(fields, 'name');
    if (!/^[\w.-]{1,100}$/.test(name)) throw new StoreError(400, `Invalid value for parameter - name: ${name}`);
    if (!named.add(name, { name, definition: definitionOf(fields) })) {
      throw new StoreError(409, `Transformation ${name} already exists`);
    }
    response.json({ message: 'created' });
  });

  router.put('/transformations', async (request, response) => {
    const fields = await adminFields(request, staging);
    const { name } = find(fields);
    named.replace(name, {
      name,
      definition: definitionOf(new Map([['transformation', requireText(fields, 'unsafe_update')]])),
    });
    response.json({ message: 'updated' });
  });

  router.delete('/transformations', async (request, response) => {
    named.remove(find(await adminFields(request, staging)).name);
    response.json({ message: 'deleted' });
  });

  return router;

  function find(fields: Fields): NamedTransformation {
    const text = requireText(fields, 'transformation');
    const found = named.get(text.replace(/^t_/, ''));
    if (found === undefined) throw new StoreError(404, `Transformation ${text} was not found`);
    return found;
  }
}

/** Refused now rather than at each delivery. */
function definitionOf(fields: Fields): string {
  const definition = requireText(fields, 'transformation');
  parseTransformation(definition);
  return definition;
}
