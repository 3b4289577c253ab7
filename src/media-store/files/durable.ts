import { mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Makes names that were added to or taken from a directory survive a power cut. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** Renames a file whose content is already synced, so that after a crash there is the old state or the new one. */
export async function renameDurably(from: string, to: string): Promise<void> {
  await rename(from, to);
  await syncDirectory(dirname(to));
}

/** Makes a directory and those above it, so that after a crash a file renamed into it is still found. */
export async function makeDirectoryDurably(path: string): Promise<void> {
  const topmostMade = await mkdir(path, { recursive: true, mode: 0o700 });
  if (topmostMade === undefined) return;
  for (let made = path; made.length >= topmostMade.length; made = dirname(made)) await syncDirectory(dirname(made));
}
