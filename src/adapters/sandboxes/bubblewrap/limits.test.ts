import { expect, test } from 'vitest';
import { whichOn } from '../../../lib/exec/which.ts';
import { descendants, isAlive } from '../../../lib/processes.ts';
import { openFilesFor } from '../../../lib/resources/open-files.ts';
import type { ResourceControl } from '../../../ports/sandbox/resources.ts';
import { BARE_ENCLOSURE, type Breach } from '../../../ports/sandbox.ts';
import { PATH, run, script } from '../../../testing/sandbox-contract/program.ts';
import { enclosedWorkspace } from '../../../testing/sandbox-contract/workspace.ts';
import { probeBubblewrapWalls } from './index.ts';

const which = whichOn(PATH);
const probed = await probeBubblewrapWalls(which, { level: 'bubblewrap' });

/** A control that holds to nothing, and writes down what is asked of it. */
function control({ breach, refuses = false }: { breach?: Breach; refuses?: boolean } = {}) {
  const other = 'missing' in probed ? undefined : probed.enclose(BARE_ENCLOSURE);
  const seen: string[] = [];
  const made: ResourceControl = {
    enforces: ['memory'],
    start(limits) {
      seen.push(`start ${limits.memory}`);
      return Promise.resolve({
        needsAdmission: true,
        async admit(pids) {
          if (refuses) throw new Error('no room');
          // Time enough for the program to run to its end, if it were let.
          if (other !== undefined) await run(other, script('sh -c "exit 0"; sh -c "exit 0"'));
          const below = pids.flatMap((pid) => descendants(pid)).filter((pid) => !pids.includes(pid));
          seen.push(`admit ${pids.every((pid) => isAlive({ pid }))} ${pids.length}, below them ${below.length}`);
        },
        breach() {
          seen.push('breach');
          return Promise.resolve(breach);
        },
        [Symbol.asyncDispose]() {
          seen.push('dispose');
          return Promise.resolve();
        },
      });
    },
  };
  return { seen, made };
}

async function sandboxWith(resources: ResourceControl, workspace: Awaited<ReturnType<typeof enclosedWorkspace>>) {
  const walls = await probeBubblewrapWalls(which, { level: 'bubblewrap', resources });
  if ('missing' in walls) throw new Error(walls.missing);
  return walls.enclose({ ...workspace.enclosure(), limits: { memory: 1_000_000 } });
}

const isMissing = 'missing' in probed;

test.skipIf(isMissing)(
  'nothing of a program runs before its processes are in their group, which is left when it has ended',
  async () => {
    await using workspace = await enclosedWorkspace();
    const { seen, made } = control();
    const sandbox = await sandboxWith(made, workspace);
    const result = await run(sandbox, script('echo ran', { cwd: workspace.tree }));
    expect(result).toEqual({ code: 0, signal: null, stdout: 'ran\n', stderr: '' });
    expect(seen).toEqual(['start 1000000', 'admit true 2, below them 0', 'breach', 'dispose']);
  },
);

test.skipIf(isMissing)('a limit that was run into is told with the exit', async () => {
  await using workspace = await enclosedWorkspace();
  const { made } = control({ breach: { limit: 'memory', max: 1_000_000 } });
  const sandbox = await sandboxWith(made, workspace);
  const result = await run(sandbox, script('exit 3', { cwd: workspace.tree }));
  expect(result).toMatchObject({ code: 3, breach: { limit: 'memory', max: 1_000_000 } });
});

test.skipIf(isMissing)(
  'a program whose processes no group takes in is not started, and its group is left',
  async () => {
    await using workspace = await enclosedWorkspace();
    const { seen, made } = control({ refuses: true });
    const sandbox = await sandboxWith(made, workspace);
    await expect(sandbox.spawn(script('true', { cwd: workspace.tree }))).rejects.toThrow('no room');
    expect(seen).toEqual(['start 1000000', 'dispose']);
  },
);

test.skipIf(isMissing)('without limits no group is made', async () => {
  await using workspace = await enclosedWorkspace();
  const { seen, made } = control();
  const walls = await probeBubblewrapWalls(which, { level: 'bubblewrap', resources: made });
  if ('missing' in walls) throw new Error(walls.missing);
  await run(walls.enclose(workspace.enclosure()), script('true', { cwd: workspace.tree }));
  expect(seen).toEqual([]);
});

const HELD_TO = 'ulimit -Sn; ulimit -Hn; ulimit -Hn 1000000 2>/dev/null && echo raised; exit 0';

test.skipIf(isMissing)(
  'a program may have as many files open as its enclosure says, and cannot raise that',
  async () => {
    await using workspace = await enclosedWorkspace();
    if ('missing' in probed) throw new Error(probed.missing);
    expect(probed.enforces).toContain('openFiles');
    const enclosure = { ...workspace.enclosure(), limits: { openFiles: 1500 } };
    expect(await run(probed.enclose(enclosure), script(HELD_TO))).toMatchObject({ stdout: '1024\n1500\n', stderr: '' });
  },
);

test.skipIf(isMissing)('without a word of it, as many as this machine is made to give by itself', async () => {
  await using workspace = await enclosedWorkspace();
  if ('missing' in probed) throw new Error(probed.missing);
  const { soft, hard } = openFilesFor({});
  expect(await run(probed.enclose(workspace.enclosure()), script(HELD_TO))).toMatchObject({
    stdout: `${soft}\n${hard}\n`,
  });
});
