import { defineConfig } from 'vitest/config';
import { AgentTable } from './test/agents/table.ts';

/** Where a report that programs can read is wanted. */
const report = process.env['TEST_REPORT'];
const agentTable = process.env['AGENT_TABLE'] === undefined ? [] : [new AgentTable()];

export default defineConfig({
  test: {
    globalSetup: ['src/testing/test-database.ts'],
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
    reporters: ['default', ...agentTable, ...(report === undefined ? [] : [jsonTo(report)])],
  },
});

function jsonTo(outputFile: string): ['json', { outputFile: string }] {
  return ['json', { outputFile }];
}
