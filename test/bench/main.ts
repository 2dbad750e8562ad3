import { writeFile } from 'node:fs/promises';
import { constants, cpus, totalmem } from 'node:os';
import { inspect, parseArgs } from 'node:util';
import { execa } from 'execa';
import { gateway } from './gateway.ts';
import { idle } from './idle.ts';
import { overhead } from './overhead.ts';
import { parallel } from './parallel.ts';
import { parked } from './parked.ts';
import type { Bench, Row } from './row.ts';
import { scale } from './scale.ts';
import { start } from './start.ts';
import { growingTable, table } from './table.ts';
import { week } from './week.ts';
import { workspaces } from './workspaces.ts';

const benches: Readonly<Record<string, Bench>> = {
  overhead,
  start,
  week,
  parked,
  idle,
  parallel,
  scale,
  workspaces,
  gateway,
};

/**
 * `npm run bench -- NAME [--small] [--json FILE]`: measures, prints a table, and writes the figures where asked; what there is of them, if
 * it fails or is told to stop.
 */
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
  const { small } = values;
  const title = small ? `${name} (small)` : name;
  const growing = growingTable(title);
  const told: Row[] = [];
  const tell = (row: Row): void => {
    if (told.length === 0) process.stdout.write(`${growing.head}\n`);
    told.push(row);
    process.stdout.write(`${growing.line(row)}\n`);
  };
  const stop = new Stop();
  let rows: readonly Row[] = told;
  let code = 0;
  try {
    rows = await bench({ small, tell, untilStopped: () => stop.listen() });
    if (told.length === 0) process.stdout.write(`${table(title, rows)}\n`);
  } catch (error) {
    code = stop.code ?? 1;
    for (const one of allOf(error)) if (one !== stop.reason) process.stderr.write(`${inspect(one)}\n`);
  }
  if (values.json !== undefined) {
    const whole = { ...(await report(name, rows, small)), ...(code === 0 ? {} : { cutOff: true }) };
    await writeFile(values.json, `${JSON.stringify(whole, null, 2)}\n`);
  }
  return code;
}

/** SIGTERM and SIGINT: the first one ends what listens for it, which takes a while, a second one this process. */
class Stop {
  readonly #controller = new AbortController();
  #isListening = false;
  code: number | undefined;

  get reason(): unknown {
    return this.#controller.signal.reason;
  }

  listen(): AbortSignal {
    if (!this.#isListening) for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => this.#stop(name));
    this.#isListening = true;
    return this.#controller.signal;
  }

  #stop(name: 'SIGTERM' | 'SIGINT'): void {
    const code = 128 + constants.signals[name];
    if (this.#controller.signal.aborted) process.exit(code);
    this.code = code;
    process.stderr.write(`${name}: clearing away what was made.\n`);
    this.#controller.abort(new Error(`stopped by ${name}`));
  }
}

/** What went wrong, first things first: disposing may have failed after it. */
function allOf(error: unknown): unknown[] {
  return error instanceof SuppressedError ? [...allOf(error.suppressed), ...allOf(error.error)] : [error];
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

const code = await main();
// What was cut off may leave something open that would hold this process.
if (code === 0) process.exitCode = 0;
else process.exit(code);
