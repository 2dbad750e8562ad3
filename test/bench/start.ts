import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { waitUntil } from '../../src/lib/wait-until.ts';
import { tempFolder, tempRepository } from '../../src/testing/temp-repository.ts';
import { Installation } from '../support/installation.ts';
import { type Bench, median, round, rowOf } from './row.ts';

/**
 * From the request to the agent's first instruction, beside the least that anybody could do by hand: `git worktree add` and the same
 * program started in it. In a repository of 500 files.
 */
export const start: Bench = async ({ small }) => {
  const rounds = small ? 3 : 21;
  const files = small ? 50 : 500;
  await using scratch = await tempFolder('switchyard-bench');
  await using repository = await tempRepository(
    Object.fromEntries(
      Array.from({ length: files }, (_, n) => [`src/module-${n % 25}/file-${n}.txt`, `${'line\n'.repeat(50)}${n}\n`]),
    ),
  );
  await mkdir(join(repository.path, '.switchyard'), { recursive: true });
  await writeFile(join(repository.path, '.switchyard', 'config.yaml'), 'checks:\n  ok: { run: "true" }\nsetup: none\n');
  await repository.commit({}, 'Bench');
  const mark = join(scratch.path, 'started');
  const program = `date +%s%N > ${mark}.part && mv ${mark}.part ${mark}`;
  await using installation = await Installation.create({
    config: `agents:\n  marking: { kind: custom, command: [sh, -c, ${JSON.stringify(program)}] }\n`,
  });
  await installation.startDaemon();

  const throughSwitchyard: number[] = [];
  const byHand: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const hand = await handMade(repository.path, join(scratch.path, `worktree-${round}`), { program, mark });
    const { took, run } = await request(installation, { repository: repository.path, mark });
    await installation.settled(run);
    if (round === 0) continue; // warm-up
    byHand.push(hand);
    throughSwitchyard.push(took);
  }
  return [
    rowOf('request-to-agent', 'ms', throughSwitchyard, { floor: round(median(byHand)) }),
    rowOf('worktree-and-spawn', 'ms', byHand),
  ];
};

async function request(
  installation: Installation,
  { repository, mark }: { repository: string; mark: string },
): Promise<{ took: number; run: string }> {
  const began = Date.now();
  const { run } = await installation.client.call('startRun', { task: 'bench', repository, requester: 'bench' });
  return { took: (await startedAt(mark)) - began, run };
}

async function handMade(
  repository: string,
  worktree: string,
  { program, mark }: { program: string; mark: string },
): Promise<number> {
  const began = Date.now();
  await run('git', ['-C', repository, 'worktree', 'add', '--quiet', '--detach', worktree]);
  await run('sh', ['-c', program], worktree);
  const took = (await startedAt(mark)) - began;
  await run('git', ['-C', repository, 'worktree', 'remove', '--force', worktree]);
  return took;
}

async function startedAt(mark: string): Promise<number> {
  const text = await waitUntil(() => readFile(mark, 'utf8').catch(() => undefined), {
    timeoutMs: 60_000,
    everyMs: 2,
    what: 'the agent to start',
  });
  await rm(mark);
  return Number(BigInt(text.trim()) / 1_000n) / 1_000;
}

async function run(program: string, args: readonly string[], cwd?: string): Promise<void> {
  const child = spawn(program, [...args], { stdio: 'ignore', ...(cwd === undefined ? {} : { cwd }) });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended in ${code}`);
}
