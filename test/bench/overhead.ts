import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { probePid } from '../../src/adapters/sandboxes/pid/index.ts';
import { whichOn } from '../../src/lib/exec/which.ts';
import { BARE_ENCLOSURE } from '../../src/ports/sandbox.ts';
import { tempRepository } from '../../src/testing/temp-repository.ts';
import { Installation } from '../support/installation.ts';
import { type Bench, median, round, rowOf } from './row.ts';

/** Of the design: what the harness may add to a run of ten steps. */
const BUDGET_MS = 300;

const blueprint = `
name: ten
start: a1
nodes:
${[1, 2, 3, 4, 5].map((n) => `  a${n}: { agent: default, max: 1, next: c${n}, on: { unchanged: c${n} } }\n  c${n}: { check: all, max: 1, next: ${n === 5 ? 'done' : `a${n + 1}`}, on: { fixed: park, fail: park, missing: park } }`).join('\n')}
`;

/**
 * The harness's own time in a run of ten steps, five of an agent that writes one file and five of a check, both over at once: the
 * run's wall time less that of the same ten programs in the same sandbox without Switchyard.
 */
export const overhead: Bench = async ({ small }) => {
  const rounds = small ? 3 : 21;
  await using repository = await tempRepository({ 'README.md': 'bench\n', '.gitignore': 'ignored\n' });
  await mkdir(join(repository.path, '.switchyard', 'blueprints'), { recursive: true });
  await writeFile(
    join(repository.path, '.switchyard', 'config.yaml'),
    'checks:\n  ok: { run: "true", kind: test }\nsetup: none\n',
  );
  await writeFile(join(repository.path, '.switchyard', 'blueprints', 'ten.yaml'), blueprint);
  await repository.commit({}, 'Bench');
  const agent = 'date +%N > "$SWITCHYARD_NODE"';
  await using installation = await Installation.create({
    config: `agents:\n  instant: { kind: custom, command: [sh, -c, ${JSON.stringify(agent)}] }\n`,
  });
  await installation.startDaemon();

  const own: number[] = [];
  const floors: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const floor = await programsAlone(repository.path, agent);
    const wall = await oneRun(installation, repository.path);
    if (round === 0) continue; // warm-up
    floors.push(floor);
    own.push(wall - floor);
  }
  return [rowOf('ten-step-run', 'ms', own, { floor: round(median(floors)), budget: BUDGET_MS })];
};

async function oneRun(installation: Installation, repository: string): Promise<number> {
  const { run } = await installation.client.call('startRun', {
    task: 'bench',
    repository,
    blueprint: 'ten',
    requester: 'bench',
  });
  let begin = 0;
  for await (const event of installation.client.events(run, { follow: true })) {
    if (event.kind === 'run.started') begin = Date.parse(event.at);
    if (event.kind === 'run.parked') throw new Error(`the run parked: ${event.reason.message}`);
    if (event.kind === 'run.ended') return Date.parse(event.at) - begin;
  }
  throw new Error('the run did not end');
}

async function programsAlone(folder: string, agent: string): Promise<number> {
  const walls = await probePid(whichOn(process.env['PATH']));
  if ('missing' in walls) throw new Error(walls.missing);
  const sandbox = walls.enclose(BARE_ENCLOSURE);
  const env = { PATH: process.env['PATH'] ?? '', SWITCHYARD_NODE: 'ignored' };
  const started = performance.now();
  for (let n = 0; n < 10; n++) {
    await using program = await sandbox.spawn({ argv: ['sh', '-c', n % 2 === 0 ? agent : 'true'], cwd: folder, env });
    await program.exited;
  }
  return performance.now() - started;
}
