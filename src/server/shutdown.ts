import type { Log } from './log.ts';

export type StopSignal = 'SIGTERM' | 'SIGINT';

/**
 * Resolves with the first signal to stop. A second one ends the process at once, with the status that shells give a
 * process killed by it.
 */
export function stopSignal(): Promise<StopSignal> {
  return new Promise((resolve) => {
    let stopping = false;
    const onSignal = (signal: StopSignal) => {
      if (stopping) process.exit(signal === 'SIGINT' ? 130 : 143);
      stopping = true;
      resolve(signal);
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}

/**
 * A promise that nobody looked at is a bug, and logged; the process goes on. An exception that nobody caught leaves
 * it in a state that nobody knows: it stops as by SIGTERM, and ends with status 1.
 */
export function reportBugs(log: Log): void {
  process.on('unhandledRejection', (error) =>
    log.error({ event: 'unhandled-rejection', error: stackOf(error) }, 'a bug'),
  );
  process.on('uncaughtException', (error) => {
    log.error({ event: 'uncaught-exception', error: stackOf(error) }, 'a bug: the process stops');
    process.exitCode = 1;
    process.kill(process.pid, 'SIGTERM');
  });
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
