import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { pause } from '../../src/lib/wait-until.ts';
import { type TempRepository, tempRepository } from '../../src/testing/temp-repository.ts';
import { Installation } from '../support/installation.ts';
import { MemoryWatch, memory, standing } from './footprint.ts';
import { type Bench, median, type Row, round, rowOf } from './row.ts';

const STREAMS = 30;
/** Of the design of the gateway: what it may add to the first byte, in the middle. */
const BUDGET_MS = 5;

const program = (name: string) => fileURLToPath(new URL(`gateway/${name}.ts`, import.meta.url));

interface Found {
  readonly direct: readonly number[];
  readonly through: readonly number[];
  readonly directRate: readonly number[];
  readonly throughRate: readonly number[];
}

/**
 * What the gateway costs an agent: time until the first byte of an answer and bytes a second of thirty answers at once, by way of it and straight,
 * asked by turns by one program; the same from within the walls, where there is no straight way; and the daemon's memory with thirty
 * slow answers on their way.
 */
export const gateway: Bench = async ({ small }) => {
  await using upstream = await startUpstream();
  await using repository = await tempRepository({
    'README.md': 'x\n',
    '.switchyard/config.yaml': 'checks:\n  ok: { run: "true" }\nsetup: none\n',
  });
  const rounds = small ? 10 : 200;
  const streams = small ? 3 : STREAMS;
  const { found, grown } = await asked(repository, { url: upstream.url, sandbox: 'none', rounds, streams });
  const direct = found.direct;
  const added = found.through.map((ms, at) => ms - (direct[at] ?? 0));
  const rows: Row[] = [
    rowOf('first-byte-direct', 'ms', direct),
    rowOf('first-byte-through', 'ms', found.through, { floor: round(median(direct)) }),
    rowOf('first-byte-added', 'ms', added, { budget: BUDGET_MS }),
    rowOf('throughput-30-direct', 'MB/s', found.directRate),
    rowOf('throughput-30-through', 'MB/s', found.throughRate, { floor: round(median(found.directRate)) }),
    rowOf('streams-30-memory', 'MB', [grown]),
  ];
  const walled = await asked(repository, { url: upstream.url, sandbox: undefined, rounds, streams: 0 });
  return [...rows, rowOf('first-byte-walled', 'ms', walled.found.through, { floor: round(median(direct)) })];
};

async function asked(
  repository: TempRepository,
  { url, sandbox, rounds, streams }: { url: string; sandbox: 'none' | undefined; rounds: number; streams: number },
): Promise<{ found: Found; grown: number }> {
  const command = [
    process.execPath,
    program('client'),
    sandbox === 'none' ? `${url}/v1` : '-',
    `${rounds}`,
    `${streams}`,
  ];
  await using installation = await Installation.create({
    config: stringify({
      agents: {
        asker: {
          kind: 'custom',
          command,
          endpoint: { api: 'responses', baseUrl: `${url}/v1`, key: { env: 'BENCH_KEY' } },
        },
      },
      // What it asks of a database before each call is part of what is measured.
      budgets: [{ per: 'person', each: 'day', tokens: '100G' }],
      reads: [program('upstream')],
    }),
    sandbox,
    env: { BENCH_KEY: 'the-key-of-the-bench' },
  });
  await installation.startDaemon();
  await pause(2_000);
  const before = await memory(await standing(installation));
  let peak: number;
  let run: string;
  {
    await using watch = new MemoryWatch(installation, 100);
    const started = await installation.client.call('startRun', {
      task: 'Ask',
      repository: repository.path,
      blueprint: 'quick',
      requester: 'bench',
    });
    run = started.run;
    await installation.settled(run);
    peak = watch.peak;
  }
  const logs = await installation.cli(['logs', run, '--json']);
  const line = logs.stdout.split('\n').find((text) => text.includes('throughRate')) ?? '';
  if (line === '') throw new Error(`the agent has measured nothing: ${logs.stdout}${logs.stderr}`);
  const { text } = JSON.parse(line) as { text: string };
  return { found: JSON.parse(text) as Found, grown: peak - before };
}

async function startUpstream(): Promise<AsyncDisposable & { readonly url: string }> {
  const child = spawn(process.execPath, [program('upstream')], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = (await once(createInterface(child.stdout), 'line')) as [string];
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      child.kill();
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}
