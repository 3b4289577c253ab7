const every = 2_000;
const longest = 60_000;

/**
 * Calls `work` again and again: every two seconds while it succeeds, ever more rarely while it fails, not at all while
 * nobody looks. `tell` hears how it stands.
 * @param {() => Promise<void>} work
 * @param {(state: 'live' | 'paused' | 'retrying', seconds?: number) => void} tell
 */
export function keepFresh(work, tell) {
  let failures = 0;
  let busy = false;
  let stopped = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  async function turn() {
    clearTimeout(timer);
    if (busy || stopped) return;
    if (document.hidden) return tell('paused');
    busy = true;
    try {
      await work();
      failures = 0;
      tell('live');
    } catch {
      failures += 1;
    }
    busy = false;
    if (stopped) return;
    const delay = Math.min(every * 2 ** failures, longest);
    if (failures > 0) tell('retrying', delay / 1000);
    timer = setTimeout(turn, delay);
  }

  document.addEventListener('visibilitychange', turn);
  window.addEventListener('online', turn);
  turn();
  return {
    now: turn,
    stop() {
      stopped = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', turn);
      window.removeEventListener('online', turn);
    },
  };
}
