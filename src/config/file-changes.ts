import { type FSWatcher, realpathSync, unwatchFile, watch, watchFile } from 'node:fs';
import { basename, dirname } from 'node:path';

/** How often the file is looked at where the system tells nothing: network file systems, a directory made anew. */
const pollMs = 5_000;

/**
 * Calls back when the file may have changed: written in place, replaced by a rename (as editors do), or reached
 * through a symbolic link that now leads elsewhere (as Kubernetes swaps a ConfigMap: `..data` is replaced beside the
 * file). It may call back for nothing: compare what you read. Returns the way to stop.
 */
export function onFileChange(file: string, changed: () => void): () => void {
  let watchers: FSWatcher[] = [];

  const disarm = () => {
    for (const watcher of watchers) watcher.close();
    watchers = [];
  };
  // Anew after each event: a rename leaves the old file's watch on what is gone, and a link may lead elsewhere.
  const arm = () => {
    disarm();
    const real = realPathOf(file);
    const names = new Set([basename(file), basename(real)]);
    for (const target of new Set([file, dirname(file), dirname(real)])) {
      try {
        const watcher = watch(target, { persistent: false }, (_, name) => {
          if (name === null || names.has(name) || name.startsWith('..')) handle();
        });
        watcher.on('error', () => watcher.close());
        watchers.push(watcher);
      } catch {
        // The target is gone, or the system has no watch left: the poll goes on.
      }
    }
  };
  const handle = () => {
    arm();
    changed();
  };

  arm();
  watchFile(file, { persistent: false, interval: pollMs }, handle);
  return () => {
    disarm();
    unwatchFile(file, handle);
  };
}

function realPathOf(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}
