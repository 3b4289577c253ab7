import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import ts from 'typescript';
import { expect, test } from 'vitest';
import type { Timed } from './fixtures/match-times.ts';

/**
 * Longest match of 32 kB, in milliseconds. One that grows with the text takes under one; one that grows with its
 * square takes some hundreds, and what tries every way to part it never ends.
 */
const bound = 100;

const source = join(import.meta.dirname, '../../src');

/** Every regular expression written down in the source. What the operator writes (`config/`) attacks nobody. */
function patternsOfSource(): RegExp[] {
  const found = new Map<string, RegExp>();
  const look = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) {
      const end = node.text.lastIndexOf('/');
      found.set(node.text, new RegExp(node.text.slice(1, end), node.text.slice(end + 1)));
    }
    ts.forEachChild(node, look);
  };
  for (const file of globSync('**/*.{ts,js}', { cwd: source })) {
    if (file.startsWith('config/')) continue;
    look(ts.createSourceFile(file, readFileSync(join(source, file), 'utf8'), ts.ScriptTarget.Latest));
  }
  return [...found.values()];
}

/**
 * Patterns that take longer than the bound with one of their attacks. A worker matches them, for nothing can stop a
 * match but the end of its thread.
 */
async function slow(patterns: readonly RegExp[], deadlineMs = 10_000): Promise<readonly string[]> {
  const found: string[] = [];
  let left = patterns;
  while (left.length > 0) {
    const worker = new Worker(new URL('fixtures/match-times.ts', import.meta.url), { workerData: left });
    let done = 0;
    const stuck = await new Promise<RegExp | undefined>((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      worker.on('error', reject);
      worker.on('exit', () => resolve(undefined));
      worker.on('message', ({ begins, timed }: { begins?: RegExp; timed?: Timed }) => {
        clearTimeout(timer);
        if (begins !== undefined) timer = setTimeout(resolve, deadlineMs, begins);
        if (timed === undefined) return;
        done += 1;
        if (timed.milliseconds > bound) found.push(`${timed.pattern} with ${JSON.stringify(timed.text)}`);
      });
    });
    if (stuck !== undefined) found.push(`${stuck} does not end`);
    await worker.terminate();
    left = stuck === undefined ? [] : left.slice(done + 1);
  }
  return found;
}

test('no text that a client, an origin or a store may send makes a regular expression of ours slow', async () => {
  const patterns = patternsOfSource();
  expect(patterns.length).toBeGreaterThan(150);
  expect(await slow(patterns)).toEqual([]);
}, 60_000);

test('a pattern that takes the square of its text, or for ever, would be found', async () => {
  const bad = [/\/+$/, /^\s*(?:identity)?\s*$/, /^(a+)+$/, /^\s*(?:<!--[\s\S]*?-->\s*)*<html/, /^(a|b|ab)*c/];
  const found = await slow([...bad, /^a+$/], 500);
  expect(found).toHaveLength(bad.length);
}, 20_000);
