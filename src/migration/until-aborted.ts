/** The promise's outcome, or the signal's reason as soon as it is aborted: what waits then is left to itself. */
export function untilAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  const { promise: outcome, resolve, reject } = Promise.withResolvers<T>();
  const abort = () => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  return outcome;
}
