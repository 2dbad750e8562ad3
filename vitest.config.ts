import { defineConfig } from 'vitest/config';

/** Where a report that programs can read is wanted. */
const report = process.env['TEST_REPORT'];

export default defineConfig({
  test: {
    globalSetup: ['src/testing/test-database.ts'],
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
  },
});
