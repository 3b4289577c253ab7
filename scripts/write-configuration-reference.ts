import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { configSchema } from '../src/config/schema.ts';
import { optionVariables } from '../src/config/sources.ts';

/** Puts the options of the schema into `docs/configuration.md`, between its two marks. The prose there is by hand. */

export const referenceFile = new URL('../docs/configuration.md', import.meta.url);

const marks = { begin: '<!-- options: written by npm run docs:configuration -->', end: '<!-- end of options -->' };

/** The part of JSON Schema that zod writes for our schema. */
interface Schema {
  readonly type?: string | readonly string[];
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

/** The page with its options as the schema has them. */
export function withReference(page: string): string {
  const begin = page.indexOf(marks.begin);
  const end = page.indexOf(marks.end);
  if (begin < 0 || end < begin) throw new Error(`the page has no place for the options: ${marks.begin} … ${marks.end}`);
  return `${page.slice(0, begin)}${marks.begin}\n\n${writeSections()}\n\n${page.slice(end)}`;
}

function writeSections(): string {
  const root = z.toJSONSchema(configSchema, { io: 'input' }) as Schema;
  return Object.entries(root.properties ?? {})
    .map(([key, schema]) => {
      const isList = schema.items !== undefined;
      const options = isList ? rows('', schema.items ?? {}) : rows(`${key}.`, schema);
      const table = ['| key | value | default | what it is |', '| --- | --- | --- | --- |', ...options].join('\n');
      return `### ${key}\n\n${schema.description}\n\n${table}`;
    })
    .join('\n\n');
}

/** `note` says which kind of a section has the options, where it has several. */
function rows(prefix: string, schema: Schema, note = ''): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, option]) => {
    const name = `${prefix}${key}`;
    const kinds = option.anyOf?.find((one) => one.oneOf !== undefined)?.oneOf;
    if (kinds !== undefined) return [row(name, option, schema, note), ...kinds.flatMap((kind) => kindRows(name, kind))];
    if (option.properties !== undefined) return rows(`${name}.`, option, note);
    return [row(name, option, schema, note)];
  });
}

function kindRows(name: string, schema: Schema): string[] {
  const { kind, ...properties } = schema.properties ?? {};
  return rows(`${name}.`, { ...schema, properties }, `With \`kind: ${kind?.const}\`. `);
}

function row(name: string, schema: Schema, parent: Schema, note: string): string {
  const required = parent.required?.includes(name.slice(name.lastIndexOf('.') + 1)) ?? false;
  const fallback = required ? 'needed' : schema.default === undefined ? '' : `\`${writeDefault(schema.default)}\``;
  const cells = [`\`${name}\``, typeName(schema), fallback, `${note}${withVariable(name, schema.description ?? '')}`];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function writeDefault(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value).replaceAll(',', ', ');
}

function withVariable(name: string, description: string): string {
  const variable = optionVariables.find(({ path }) => path.join('.') === name)?.name;
  return variable === undefined || description.includes(variable)
    ? description
    : `${description} Variable: ${variable}.`;
}

function typeName(schema: Schema): string {
  if (schema.title !== undefined) return schema.title;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(', ');
  if (schema.oneOf !== undefined) return 'section with a `kind`';
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeName).join(' or ');
  if (schema.items !== undefined) return `list of ${typeName(schema.items)}s`;
  return [schema.type ?? []]
    .flat()
    .map((type) => typeNames[type] ?? type)
    .join(' or ');
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'whole number',
  boolean: '`true` or `false`',
  object: 'text by name',
  null: '`null`',
};

if (import.meta.main) writeFileSync(referenceFile, withReference(readFileSync(referenceFile, 'utf8')));
