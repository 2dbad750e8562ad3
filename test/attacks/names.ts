import { constants } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pause, waitUntil } from '../../src/lib/wait-until.ts';
import { plainGit } from '../../src/testing/temp-repository.ts';
import type { Attack } from './attack.ts';
import { carelessly, harnessWork } from './harness-work.ts';
import { COMMITS } from './honest.ts';
import { type Stage, TEXT } from './stage.ts';

/** A zero-width character in the middle, which some file systems pass over: the same name to them as `.git`. */
const ODD = "$(printf '.g\\342\\200\\214it')";
const LONG = 'a'.repeat(300);

const LONG_REF = `c=$(git commit-tree -m long HEAD^{tree}) && echo "$c refs/heads/${LONG}" >>.git/packed-refs`;

export const nameAttacks: readonly Attack[] = [
  {
    name: 'has a second .git delivered, in a spelling that other systems take for the first',
    subject: 'names',
    async play(stage) {
      await stage.agent(
        `for n in .GIT 'git~1' "${ODD}"; do mkdir "$n" && echo '[core]' >"$n/config"; done; echo more >>README.md`,
      );
      await harnessWork(stage);
      return { before: 'none', after: await secondGit(stage.repository.path) };
    },
    async careless(stage) {
      await stage.agent(`mkdir "${ODD}" && echo '[core]' >"${ODD}/config"`);
      await carelessly(stage, 'git add -A && git commit -qm odd');
      return { before: 'none', after: await secondGit(stage.layout.tree) };
    },
    twin: {
      name: 'delivers files with names in any alphabet',
      async works(stage) {
        await stage.agent(
          'mkdir ünï && echo x >ünï/文字 && echo y >-rf && echo z >.github && echo n >"$(printf "new\\nline")"',
        );
        const { head } = await stage.workspace.collect(TEXT);
        const names = await plainGit(stage.store.path, 'ls-tree', '-r', '-z', '--name-only', head);
        for (const name of ['ünï/文字', '-rf', '.github', 'new\nline'])
          if (!names.split('\0').includes(name)) throw new Error(`${name} is not among ${names}`);
      },
    },
  },
  {
    name: 'has its commits kept from being collected by a name that is too long for a file',
    subject: 'names',
    async play(stage) {
      await stage.agent(`echo more >>README.md && ${LONG_REF}`);
      const collected = await stage.workspace.collect(TEXT).then(
        () => 'collected',
        () => 'cannot be',
      );
      return { before: 'collected', after: collected };
    },
    async careless(stage) {
      await stage.agent(LONG_REF);
      const said = await stage.agent(
        'git update-ref refs/salvage/$(git for-each-ref --format="%(refname:lstrip=2)" refs/heads/aaa*) HEAD',
      );
      return { before: 'collected', after: said.code === 0 ? 'collected' : 'cannot be' };
    },
    twin: COMMITS,
  },
  ...['.gitignore', 'src/.gitattributes', '.git/config', '.git/objects/info/alternates', 'sub/.git/HEAD'].map((file) =>
    waiting(file),
  ),
];

/** Whatever on any system is the same as `.git` to git itself. */
async function secondGit(repository: string): Promise<string> {
  const found = await plainGit(repository, '-c', 'fsck.hasDotgit=error', 'fsck', '--strict').then(
    () => '',
    (error: unknown) => String(error),
  );
  return /hasDotgit/.test(found) ? 'delivered' : 'none';
}

/** A pipe, to which nobody ever writes, where git reads a file. */
export function waiting(file: string, careless = 'git add -A'): Attack {
  const set = (stage: Stage) =>
    stage.agent(`rm -f ${file}; mkdir -p $(dirname ${file}) && mkfifo ${file} && echo more >>README.md`);
  return {
    name: `keeps the harness waiting by a pipe in the place of ${file}`,
    subject: 'pipes',
    async play(stage) {
      await set(stage);
      const done = stage.workspace.collect(TEXT).then(({ notes }) => notes);
      const notes = await Promise.race([done, pause(ENOUGH_MS)]);
      if (notes === undefined) await letGoOn(stage, file, done);
      return { before: 'goes on', after: notes === undefined ? 'waits' : 'goes on' };
    },
    async careless(stage) {
      await set(stage);
      return { before: 'goes on', after: await waitsFor(stage, file, carelessly(stage, careless)) };
    },
    twin: {
      name: 'keeps a pipe of its own, which is left out',
      async works(stage) {
        await stage.agent('mkfifo pipe && echo more >>README.md');
        const { changed } = await stage.workspace.collect(TEXT);
        const said = await stage.agent('test -p pipe && echo there');
        if (!changed || !said.output.includes('there')) throw new Error(`nothing was collected, or it is gone`);
      },
    },
  };
}

/** Whether the work is held up by that pipe; then it is let go on, to its end. */
export async function waitsFor(stage: Stage, file: string, work: Promise<unknown>): Promise<'waits' | 'goes on'> {
  return (await letGoOn(stage, file, work)) ? 'waits' : 'goes on';
}

/** Far below the limit of a program that hangs. */
const ENOUGH_MS = 60_000;

/** Whether somebody stands at the pipe's other end before the work is done; then he is let go on. */
async function letGoOn({ layout }: Stage, file: string, work: Promise<unknown>): Promise<boolean> {
  const pipe = join(layout.tree, file);
  let isDone = false;
  const done = work.then(
    () => (isDone = true),
    () => (isDone = true),
  );
  let waits = false;
  // A pipe can be opened for writing at once only while somebody waits to read.
  const release = async () => {
    const writer = await open(pipe, constants.O_WRONLY | constants.O_NONBLOCK).catch(() => undefined);
    waits ||= writer !== undefined;
    await writer?.close();
    return isDone;
  };
  await waitUntil(release, { timeoutMs: 50_000, everyMs: 10, what: 'the end of the work' });
  await done;
  await rm(pipe, { force: true });
  return waits;
}
