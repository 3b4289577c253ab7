import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const made: string[] = [];
process.once('exit', () => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
});

/** A folder for a whole test file: gone with its process. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'lazyferry-scene-'));
  made.push(directory);
  return directory;
}
