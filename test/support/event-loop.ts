/** Stand-stills of a process's event loop since they were last asked for, in seconds. */
export interface EventLoopLag {
  readonly p99: number;
  readonly longest: number;
}

/** As the metrics of the admin side at `url` tell them. */
export async function eventLoopLag(url: string): Promise<EventLoopLag> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const read = (name: string): number => {
    const value = new RegExp(`^nodejs_eventloop_lag_${name}_seconds (\\S+)$`, 'm').exec(metrics)?.[1];
    if (value === undefined) throw new Error(`${url}/metrics does not tell nodejs_eventloop_lag_${name}_seconds`);
    return Number(value);
  };
  return { p99: read('p99'), longest: read('max') };
}
