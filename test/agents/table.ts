import { writeFileSync } from 'node:fs';
import type { Reporter, TestCase, TestModule } from 'vitest/node';

// With AGENT_TABLE=1 set, `npx vitest run test/agents` ends with a table: what each agent made of each case of the contract. With the name of a
// file in it, the table is also written there.

const CONTRACT = ': the contract of an agent';
const SYMBOLS = { passed: 'pass', failed: 'FAIL', skipped: 'skipped', pending: 'not run' };

interface Row {
  readonly agent: string;
  readonly title: string;
  readonly state: string;
}

export class AgentTable implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const rows = modules.flatMap((module) => [...module.children.allTests()].flatMap(rowOf));
    if (rows.length === 0) return;
    const table = tableOf(rows);
    process.stdout.write(`\n${table}\n`);
    const file = process.env['AGENT_TABLE'];
    if (file !== undefined && file !== '1') writeFileSync(file, table);
  }
}

function rowOf(test: TestCase): Row[] {
  const { parent } = test;
  if (parent.type !== 'suite' || !parent.name.endsWith(CONTRACT)) return [];
  return [{ agent: parent.name.slice(0, -CONTRACT.length), title: test.name, state: SYMBOLS[test.result().state] }];
}

/** In columns, as a table of Markdown; the cases in the order of the contract. */
function tableOf(rows: readonly Row[]): string {
  const agents = [...new Set(rows.map(({ agent }) => agent))].toSorted();
  const titles = [...new Set(rows.map(({ title }) => title))];
  const stateOf = (title: string, agent: string) =>
    rows.find((row) => row.title === title && row.agent === agent)?.state ?? '';
  const lines = [
    ['case', ...agents],
    ...titles.map((title) => [title, ...agents.map((agent) => stateOf(title, agent))]),
  ];
  const widths = ['case', ...agents].map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const written = lines.map(
    (line) => `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`,
  );
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return `${[written[0], rule, ...written.slice(1)].join('\n')}\n`;
}
