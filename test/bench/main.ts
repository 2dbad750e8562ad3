import { writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { idle } from './idle.ts';
import { overhead } from './overhead.ts';
import { parallel } from './parallel.ts';
import { parked } from './parked.ts';
import type { Bench, Row } from './row.ts';
import { scale } from './scale.ts';
import { start } from './start.ts';
import { table } from './table.ts';
import { week } from './week.ts';
import { workspaces } from './workspaces.ts';

const benches: Readonly<Record<string, Bench>> = { overhead, start, week, parked, idle, parallel, scale, workspaces };

/** `npm run bench -- NAME [--small] [--json FILE]`: measures, prints a table, and writes the figures where asked. */
async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: 'string' }, small: { type: 'boolean', default: false } },
  });
  const [name = ''] = positionals;
  const bench = Object.hasOwn(benches, name) ? benches[name] : undefined;
  if (bench === undefined) {
    process.stderr.write(`Name a bench: ${Object.keys(benches).join(', ')}\n`);
    return 2;
  }
  const rows = await bench({ small: values.small });
  process.stdout.write(`${table(values.small ? `${name} (small)` : name, rows)}\n`);
  if (values.json !== undefined)
    await writeFile(values.json, `${JSON.stringify(await report(name, rows, values.small), null, 2)}\n`);
  return 0;
}

async function report(name: string, rows: readonly Row[], small: boolean) {
  const commit = await execa('git', ['rev-parse', 'HEAD'], { reject: false });
  const [cpu] = cpus();
  const machine = {
    cpus: cpus().length,
    model: cpu?.model ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.versions.node,
    platform: process.platform,
  };
  return {
    schema: 1,
    bench: name,
    commit: commit.exitCode === 0 ? commit.stdout : null,
    machine,
    ...(small ? { small } : {}),
    rows,
  };
}

process.exitCode = await main();
