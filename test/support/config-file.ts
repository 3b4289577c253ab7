import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type LoadedConfig, type LoadOptions, loadConfig } from '../../src/config/load.ts';
import { ConfigError, type ConfigProblem } from '../../src/config/problem.ts';

/** A directory that is gone after the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'lazyferry-config-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export function writeConfig(source: string): string {
  const file = join(temporaryDirectory(), 'lazyferry.yaml');
  writeFileSync(file, source);
  return file;
}

export function load(source: string, options: Partial<LoadOptions> = {}): LoadedConfig {
  return loadConfig({ environment: {}, file: writeConfig(source), ...options });
}

/** What is wrong, as `key: message — mend`, without the place. */
export function complaintsAbout(source: string, options: Partial<LoadOptions> = {}): string[] {
  return problemsOf(source, options).map(({ key, message, mend }) => {
    return `${key}: ${message}${mend === undefined ? '' : ` — ${mend}`}`;
  });
}

export function problemsOf(source: string, options: Partial<LoadOptions> = {}): readonly ConfigProblem[] {
  try {
    load(source, options);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

/** A whole configuration around the lines of one mapping. */
export function withMapping(lines: string, rest = ''): string {
  const indented = lines.replaceAll(/^/gm, '    ');
  return `${rest}\nmappings:\n  - prefix: /images/\n    origin: https://www.example.com/\n${indented}\n`;
}
