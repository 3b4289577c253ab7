import { setTimeout as delay } from 'node:timers/promises';

/** Waits; an abort rejects with the signal's own reason, as everywhere in this driver. */
export async function wait(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(milliseconds, undefined, { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
