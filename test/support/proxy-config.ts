import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ConfigInput } from '../../src/config/schema.ts';

/**
 * A configuration file for a process of a test's own: free ports on loopback, and what the test says. Gone after the
 * test, unless it is made outside of one (`keep`).
 */
export function proxyConfig(config: ConfigInput, { keep = false } = {}): string {
  const directory = keep ? mkdtempSync(join(tmpdir(), 'lazyferry-test-')) : temporaryFolder();
  const file = join(directory, 'lazyferry.yaml');
  const free = '127.0.0.1:0';
  // JSON is YAML.
  writeFileSync(
    file,
    JSON.stringify({
      listen: { delivery: free, admin: free },
      ...config,
      store: { ...config.store, embedded: { listen: free, ...config.store?.embedded } },
    }),
  );
  return file;
}

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const directory = mkdtempSync(join(tmpdir(), 'lazyferry-test-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
