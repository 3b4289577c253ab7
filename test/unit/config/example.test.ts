import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { referenceFile, withReference } from '../../../scripts/write-configuration-reference.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { configSchema } from '../../../src/config/schema.ts';
import { load, withMapping } from '../../support/config-file.ts';

const example = new URL('../../../config/lazyferry.example.yaml', import.meta.url);
const text = readFileSync(example, 'utf8');

/** The names of all options, from the schema. */
function optionNames(schema: z.core.JSONSchema._JSONSchema): string[] {
  if (typeof schema === 'boolean') return [];
  const alternatives = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...[schema.items ?? []].flat()];
  return [
    ...Object.keys(schema.properties ?? {}),
    ...[...Object.values(schema.properties ?? {}), ...alternatives].flatMap(optionNames),
  ];
}

const names = [...new Set(optionNames(z.toJSONSchema(configSchema, { io: 'input' })))];

describe('the example configuration', () => {
  it('loads without a warning', () => {
    expect(loadConfig({ environment: {}, file: example.pathname }).warnings).toEqual([]);
  });

  it('states nothing but defaults', () => {
    const { config } = loadConfig({ environment: {}, file: example.pathname });
    const minimal = load(withMapping('').replace('https://www.example.com/', 'https://www.example.com/static/images/'));
    expect(config).toEqual(minimal.config);
  });

  it('shows every option', () => {
    const isShown = (name: string) => new RegExp(`(?:^|[\\s#{,])${name}:`, 'm').test(text);
    expect(names.filter((name) => !isShown(name))).toEqual([]);
  });

  it('loads with each commented option taken in', () => {
    const complete = text
      .replaceAll(/^( +)# ([A-Za-z]+: [^,\n]+)$/gm, '$1$2')
      .replaceAll(/^( +)# (auth: \{ kind: bearer.*)$/gm, '$1$2')
      .replace('    auth: null # credentials for the origin, one of:\n', '');
    expect(complete).toMatch(/^ {2}url: \$\{CLOUDINARY_URL\}$/m);
    const environment = {
      CLOUDINARY_URL: 'cloudinary://1:s@demo',
      REDIS_URL: 'redis://127.0.0.1:6379',
      LAZYFERRY_ADMIN_TOKEN: 'a-token-of-the-operator',
      LAZYFERRY_ADMIN_READ_TOKEN: 'a-token-of-the-reader',
      ORIGIN_TOKEN: 'token',
    };
    const { config } = load(complete, { environment });
    expect(config.store.url).toBe('cloudinary://1:s@demo');
    expect(config.ledger.url).toBe('redis://127.0.0.1:6379');
    expect(config.mappings[0]?.auth).toEqual({ kind: 'bearer', token: 'token' });
  });
});

describe('docs/configuration.md', () => {
  const page = readFileSync(referenceFile, 'utf8');

  it('has the options of the schema (npm run docs:configuration brings it up to date)', () => {
    expect(withReference(page).split('\n')).toEqual(page.split('\n'));
  });

  it('shows YAML that loads, except where it says refused', () => {
    const blocks = [...page.matchAll(/```yaml\n(.*?)```/gs)].map((match) => match[1] ?? '');
    expect(blocks).not.toEqual([]);
    for (const block of blocks) {
      const accepted = block.replaceAll(/^.*# refused\n/gm, '');
      expect(load(accepted).config.mappings.length).toBeGreaterThan(0);
      if (accepted !== block) expect(() => load(block)).toThrow('two files could get one public ID');
    }
  });
});
