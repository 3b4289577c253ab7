import type { Reporter, TestModule, TestSuite } from 'vitest/node';
import type {} from './bad-inputs.ts';

/**
 * Ends the run with `N passed, N failed` on a line of its own, which CI reads whatever the runner's own format is.
 *
 * Everything that went wrong counts as a failure: a test, a hook of a suite or file, a file that cannot be read, an
 * error that nobody caught, a test that never came to its end, a run without any test. Then the run fails, too.
 */
export default class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>, errors: ReadonlyArray<unknown>): void {
    let passed = 0;
    let skipped = 0;
    let failed = errors.length;
    let badInputs = 0;
    for (const module of modules) {
      failed += ownFailure(module);
      for (const suite of module.children.allSuites()) failed += ownFailure(suite);
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') {
          passed += 1;
          badInputs += test.meta().badInputs ?? 0;
        } else if (state === 'skipped') skipped += 1;
        else failed += 1;
      }
    }
    if (passed + failed === 0) failed = 1;
    if (failed > 0) process.exitCode = 1;
    if (badInputs > 0) console.log(`\n${badInputs} bad inputs tried and refused`);
    if (skipped > 0) console.log(`\n${skipped} skipped`);
    console.log(`\n${passed} passed, ${failed} failed`);
  }
}

/** 1 where a file or suite failed by itself: by a hook, or because it could not be read. */
function ownFailure(group: TestModule | TestSuite): 0 | 1 {
  return group.errors().length > 0 ? 1 : 0;
}
