import { isDeepStrictEqual } from 'node:util';
import { onFileChange } from './file-changes.ts';
import type { LoadedConfig } from './load.ts';
import { optionsThatWait } from './restart.ts';

/** An editor writes a file in several steps; one look after the last of them is enough. */
const quietMs = 100;

export interface WatchOptions {
  /** What is in use now. Its file is watched; without one only SIGHUP counts. */
  readonly current: LoadedConfig;
  /** Loads it anew, the way `current` was loaded. */
  readonly load: () => LoadedConfig;
  /**
   * Something in it is different; `waiting` names the options among it that only a restart takes up. When this throws,
   * the reload has failed: it is told to `onError`.
   */
  readonly onChange: (loaded: LoadedConfig, waiting: readonly string[]) => void;
  /** The reload failed, and what was in use before stays in use. Told once while the problem stays the same. */
  readonly onError: (error: unknown) => void;
}

/** Reloads on SIGHUP and when the file changes. Returns the way to stop. */
export function watchConfig({ current, load, onChange, onError }: WatchOptions): () => void {
  let inUse = current;
  let lastProblem: string | undefined;
  let timer: NodeJS.Timeout | undefined;

  const reload = () => {
    try {
      const loaded = load();
      if (!isDeepStrictEqual(loaded.config, inUse.config)) {
        onChange(loaded, optionsThatWait(current.config, loaded.config));
        inUse = loaded;
      }
      lastProblem = undefined;
    } catch (error) {
      const problem = String(error);
      if (problem !== lastProblem) onError(error);
      lastProblem = problem;
    }
  };
  const reloadSoon = () => {
    clearTimeout(timer);
    timer = setTimeout(reload, quietMs).unref();
  };
  const reloadNow = () => {
    clearTimeout(timer);
    // Whoever sends the signal wants an answer, also the same one again.
    lastProblem = undefined;
    reload();
  };

  process.on('SIGHUP', reloadNow);
  const stopWatching = current.file === undefined ? undefined : onFileChange(current.file, reloadSoon);
  // The file may have changed between its loading and the first watch.
  reloadSoon();
  return () => {
    clearTimeout(timer);
    process.off('SIGHUP', reloadNow);
    stopWatching?.();
  };
}
