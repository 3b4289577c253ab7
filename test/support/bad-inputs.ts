import type { TestContext } from 'vitest';

declare module 'vitest' {
  interface TaskMeta {
    /** Hostile inputs that this test tried, every one of which was refused or did no harm. */
    badInputs?: number;
  }
}

/** Counts hostile inputs into the line at the end of the run (`closing-line-reporter.ts`). */
export function countBadInputs({ task }: TestContext, tried: number): void {
  task.meta.badInputs = (task.meta.badInputs ?? 0) + tried;
}
