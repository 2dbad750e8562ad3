import { type FileHandle, open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runOwn } from '../../src/lib/exec/own-program.ts';
import { waitUntil } from '../../src/lib/wait-until.ts';
import { tempFolder } from '../../src/testing/temp-repository.ts';
import { Installation } from '../support/installation.ts';
import { atWork } from './quick-runs.ts';
import { type Bench, round, rowOf } from './row.ts';
import { sampleRepository } from './sample-repository.ts';

const AGENTS = 30;

const BLUEPRINT = `
name: one
start: implement
nodes:
  implement: { agent: default, max: 1, next: check, on: { unchanged: park } }
  check:     { check: all, max: 1, next: done, on: { fixed: park, fail: park, missing: park } }
`;

/**
 * So many agents at once in one repository: from the first request until the last run is over, beside the time that the slowest of
 * the agents took by its own clock. Each waits until all are there; then it writes, thinks and runs a program, in several turns, for four
 * seconds and more.
 */
export const parallel: Bench = async ({ small, untilStopped }) => {
  const signal = untilStopped();
  const count = small ? AGENTS / 10 : AGENTS;
  await using marks = await tempFolder('switchyard-bench');
  await using repository = await sampleRepository(small ? 50 : 500, {
    'config.yaml': 'checks:\n  sources: { run: "! grep -rq BROKEN src", kind: test }\nsetup: none\n',
    'blueprints/one.yaml': BLUEPRINT,
  });
  const gate = join(marks.path, 'gate');
  await runOwn('mkfifo', [gate]);
  await using pipe = await open(gate, 'r+'); // this never waits for the other end
  const mark = (name: string) => `{ run: "date +%s%N > ${join(marks.path, `$SWITCHYARD_RUN-${name}`)}" }`;
  const turn = (n: number) =>
    `{ write: { path: turn-${n}.txt, text: "turn ${n}\\n" } }, { sleep: 1s }, { run: "grep -rc line src | wc -l > lines-${n}.txt" }, { say: "Turn ${n} is done." }`;
  await using installation = await Installation.create({
    config: `agents:\n  recorded: { kind: scripted, script: recording.yaml }\nlimits: { agents: ${count}, perRepository: ${count} }\n`,
    files: {
      'recording.yaml': `steps:\n  implement:\n    - [ ${[mark('here'), `{ run: "dd bs=1 count=1 status=none < ${gate}" }`, mark('began'), ...[1, 2, 3, 4].map(turn), mark('ended')].join(', ')} ]\n`,
    },
  });
  await installation.startDaemon();

  const walls: number[] = [];
  const slowest: number[] = [];
  for (let round = 0; round < (small ? 1 : 3); round++) {
    const began = performance.now();
    const runs = await Promise.all(Array.from({ length: count }, () => request(installation, repository.path)));
    await openGate({ installation, folder: marks.path, pipe, signal }, count, count * (round + 1));
    const allOver = async () => (await atWork(installation)) === 0;
    await waitUntil(allOver, { timeoutMs: 10 * 60_000, everyMs: 50, signal, what: 'all runs to end' });
    walls.push((performance.now() - began) / 1000);
    const agents = await Promise.all(runs.map((run) => took(marks.path, run)));
    slowest.push(Math.max(...agents.map(({ seconds }) => seconds)));
    refuseUnlessTogether(agents);
  }
  return [
    rowOf('thirty-agents', 's', walls, { floor: round(Math.max(...slowest)) }),
    rowOf('slowest-agent', 's', slowest),
  ];
};

async function request(installation: Installation, repository: string): Promise<string> {
  const { run } = await installation.client.call('startRun', {
    task: 'Work for a while',
    repository,
    blueprint: 'one',
    requester: 'bench',
  });
  return run;
}

interface Gate {
  readonly installation: Installation;
  /** Where agents leave their marks. */
  readonly folder: string;
  /** A pipe of which each of them reads one byte. */
  readonly pipe: FileHandle;
  readonly signal: AbortSignal;
}

/** Lets the agents begin when so many have come in all; rejects when one of them never will. */
async function openGate({ installation, folder, pipe, signal }: Gate, count: number, all: number): Promise<void> {
  const allHere = async () => {
    await atWork(installation);
    return (await readdir(folder)).filter((name) => name.endsWith('-here')).length === all;
  };
  await waitUntil(allHere, { timeoutMs: 5 * 60_000, everyMs: 50, signal, what: 'all agents to come' });
  await pipe.write('.'.repeat(count));
}

interface Took {
  readonly began: number;
  readonly ended: number;
  readonly seconds: number;
}

async function took(folder: string, run: string): Promise<Took> {
  const [began = 0, ended = 0] = await Promise.all(
    ['began', 'ended'].map(async (name) => Number(await readFile(join(folder, `${run}-${name}`), 'utf8')) / 1e9),
  );
  return { began, ended, seconds: ended - began };
}

/** A bench of agents at once in which they were not would say nothing. */
function refuseUnlessTogether(agents: readonly Took[]): void {
  const lastBegan = Math.max(...agents.map(({ began }) => began));
  const firstEnded = Math.min(...agents.map(({ ended }) => ended));
  if (lastBegan >= firstEnded) throw new Error('the agents were not all at work at the same time');
}
