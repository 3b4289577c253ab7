import { defineConfig } from 'vitest/config';

/** `npm run test:chaos`: apart from `npm test`, which runs a short form of it. */
export default defineConfig({
  test: { include: ['test/chaos/*.test.ts'], pool: 'forks', fileParallelism: false, hookTimeout: 60_000 },
});
