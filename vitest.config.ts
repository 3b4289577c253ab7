import { defineConfig } from 'vitest/config';

// `npm test` runs everything in one go. Files run two at a time: a machine with two cores is the smallest we support.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/chaos/**', 'test/soak/**'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    expect: { poll: { timeout: 10_000 } },
    reporters: ['default', './test/support/closing-line-reporter.ts'],
  },
});
