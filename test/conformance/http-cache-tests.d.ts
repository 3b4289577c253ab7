declare module 'http-cache-tests/tests/index.mjs' {
  const suites: readonly Suite[];
  export default suites;
}

declare module 'http-cache-tests/tests/surrogate-control.mjs' {
  const suite: Suite;
  export default suite;
}

declare module 'http-cache-tests/client/runner.mjs' {
  export function runTests(
    suites: readonly Suite[],
    fetch: (url: string, init?: RequestInit) => Promise<unknown>,
    browserCache: boolean,
    base: string,
    atATime: number,
  ): Promise<void>;
  export function getResults(): Results;
}

declare module 'http-cache-tests/lib/display.mjs' {
  /** Character of a font, colour, emoji. */
  export function determineTestResult(
    suites: readonly Suite[],
    id: string,
    results: Results,
    honorDependencies: boolean,
  ): readonly [string, string, string];
}

declare module 'http-cache-tests/server/handle-config.mjs' {
  const handle: Handle;
  export default handle;
}

declare module 'http-cache-tests/server/handle-state.mjs' {
  const handle: Handle;
  export default handle;
}

declare module 'http-cache-tests/server/handle-test.mjs' {
  const handle: Handle;
  export default handle;
}

declare module 'http-cache-tests/server/utils.mjs' {
  /** Requests that the server has seen, by test. */
  export const stash: ReadonlyMap<string, readonly unknown[]>;
  export function setStash(test: string, requests: readonly unknown[]): void;
}

interface Suite {
  readonly id: string;
  readonly tests: readonly {
    readonly id: string;
    readonly kind?: 'optimal' | 'check';
    readonly browser_only?: boolean;
    readonly requests: readonly { readonly response_status?: readonly [number, string] }[];
  }[];
}

/** By test: true, or the kind of failure and what it says. */
type Results = Readonly<Record<string, true | readonly [string, string]>>;

type Handle = (
  path: readonly string[],
  request: import('node:http').IncomingMessage,
  response: import('node:http').ServerResponse,
) => void;
