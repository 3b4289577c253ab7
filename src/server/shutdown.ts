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
