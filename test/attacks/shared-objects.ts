import { lstat, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { plainGit } from '../../src/testing/temp-repository.ts';
import { sourceOf } from '../../src/workspaces/source-objects.ts';
import { type Attack, saw, scriptTwin, type Twin } from './attack.ts';
import { COMMITS } from './honest.ts';
import { type Stage, TEXT } from './stage.ts';

/** The objects of the git store: of those that runs have made, programs read only their own run's. */

export const ALL_OBJECTS = 'git cat-file --batch-all-objects --batch --buffer | grep -a CANARY';

const OWN_HISTORY = scriptTwin('reads the objects of its own history', 'git cat-file -p HEAD:src/one.txt', 'one');

/** What another run's agent has done, and the harness has taken in at the end of its step. */
async function takenInElsewhere(stage: Stage, script: string): Promise<void> {
  const other = await stage.open({ run: 'run2' });
  const said = await stage.agent(script, { run: 'run2' });
  if (said.code !== 0) throw new Error(`the other run did nothing: ${said.output}`);
  await other.checkpoint();
  await other.collect(TEXT);
}

/** Somebody who keeps a file of another run as it is, among what all runs read. */
async function keptInTheClear(stage: Stage): Promise<void> {
  const file = await stage.put('kept/file');
  await plainGit(sourceOf(stage.store.path), 'hash-object', '-w', file);
}

/** What the run itself did in the steps before, which its agents see, in a workspace that was made again as well. */
const OWN_WORK: Twin = {
  name: "reads what its own run's steps before have committed",
  async works(stage) {
    const first = await stage.open({ run: 'run3' });
    await stage.agent('echo ours >work.txt && git add -A && git commit -qm work && echo more >>work.txt', {
      run: 'run3',
    });
    const { head } = await first.collect(TEXT);
    for (const reuse of [true, false]) {
      await stage.open({ run: 'run3', reuse, head, attempt: 2 });
      const said = await stage.agent('git show HEAD:work.txt HEAD~1:work.txt && git fsck --full', { run: 'run3' });
      if (said.code !== 0 || !said.output.startsWith('ours\nmore\nours\n')) throw new Error(`it reads: ${said.output}`);
    }
  },
};

/** Where another's work lies among the objects that an agent borrows from. */
async function seesItInTheClear(stage: Stage) {
  await keptInTheClear(stage);
  return saw(await stage.agent(ALL_OBJECTS), stage.secret);
}

export const sharedObjects: readonly Attack[] = [
  {
    name: "reads another run's commits out of the store's objects",
    subject: 'git store',
    async play(stage) {
      await takenInElsewhere(stage, `echo ${stage.secret} >work.txt && git add -A && git commit -qm work`);
      return saw(await stage.agent(ALL_OBJECTS), stage.secret);
    },
    careless: seesItInTheClear,
    twin: OWN_WORK,
  },
  {
    name: "reads another run's commits in a workspace that was made again",
    subject: 'git store',
    async play(stage) {
      const other = await stage.open({ run: 'run2' });
      await stage.agent(`echo ${stage.secret} >work.txt && git add -A && git commit -qm work`, { run: 'run2' });
      await other.collect(TEXT);
      await stage.open({ run: 'run2', head: other.head, attempt: 2 });
      await stage.agent('echo mine >mine.txt');
      const { head } = await stage.workspace.collect(TEXT);
      await stage.open({ head, attempt: 2 });
      return saw(await stage.agent(ALL_OBJECTS), stage.secret);
    },
    careless: seesItInTheClear,
    twin: OWN_WORK,
  },
  {
    name: 'reads what another run has not committed yet out of its checkpoints',
    subject: 'git store',
    async play(stage) {
      const other = await stage.open({ run: 'run2' });
      await stage.agent(`echo ${stage.secret} >work.txt`, { run: 'run2' });
      await other.checkpoint();
      return saw(await stage.agent(ALL_OBJECTS), stage.secret);
    },
    careless: seesItInTheClear,
    twin: {
      name: 'commits what a checkpoint has kept meanwhile',
      async works(stage) {
        await stage.agent('echo more >>README.md');
        await stage.workspace.checkpoint();
        const said = await stage.agent(
          'git add -A && git commit -qm more && git fsck --full && git show HEAD:README.md',
        );
        if (said.code !== 0 || !said.output.includes('more')) throw new Error(`it cannot: ${said.output}`);
      },
    },
  },
  {
    name: "has its git borrow from the whole store, and the harness's git take that in",
    subject: 'git store',
    async play(stage) {
      await takenInElsewhere(stage, `echo ${stage.secret} >work.txt && git add -A && git commit -qm work`);
      const objects = join(stage.store.path, 'objects');
      await stage.agent(
        `echo mine >mine.txt && git add -A && git commit -qm mine && echo '${objects}' >>.git/objects/info/alternates`,
      );
      await stage.workspace.checkpoint();
      const said = await stage.agent(ALL_OBJECTS);
      const { head } = await stage.workspace.collect(TEXT);
      await stage.open({ reuse: true, head, attempt: 2 });
      const again = await stage.agent(ALL_OBJECTS);
      return saw({ output: said.output + again.output }, stage.secret);
    },
    careless: seesItInTheClear,
    twin: COMMITS,
  },
  {
    name: "reads a file that another run's repository ignores out of the store's objects",
    subject: 'git store',
    async play(stage) {
      await takenInElsewhere(stage, `echo ${stage.secret} >own.log && echo more >>README.md`);
      return saw(await stage.agent(ALL_OBJECTS), stage.secret);
    },
    careless: seesItInTheClear,
    twin: OWN_HISTORY,
  },
  {
    name: "reads what a repository within another run's checkout ignores out of the store's objects",
    subject: 'git store',
    async play(stage) {
      await takenInElsewhere(
        stage,
        `git init -q inner && echo '*.key' >inner/.gitignore && echo ${stage.secret} >inner/a.key && echo x >inner/kept`,
      );
      return saw(await stage.agent(ALL_OBJECTS), stage.secret);
    },
    careless: seesItInTheClear,
    twin: {
      name: 'has the other files of a nested repository kept',
      async works(stage) {
        await stage.agent('git init -q inner && echo x >inner/kept');
        const { notes } = await stage.workspace.collect(TEXT);
        const refs = await plainGit(stage.store.path, 'for-each-ref', '--format=%(refname)', 'refs/switchyard/salvage');
        const kept = await plainGit(stage.store.path, 'ls-tree', '-r', '--name-only', refs.split('\n')[0] ?? '');
        if (notes.length === 0 || !kept.includes('inner/kept')) throw new Error(`it is not kept: ${notes.join(' ')}`);
      },
    },
  },
  {
    name: 'has a file that is too large taken in by way of a repository within its checkout',
    subject: 'resources',
    async play(stage) {
      await stage.agent(`git init -q inner && truncate -s ${HUGE} inner/huge && echo more >>README.md`);
      await stage.workspace.collect(TEXT);
      return { before: 'left out', after: (await hasHuge(stage)) ? 'taken in' : 'left out' };
    },
    async careless(stage) {
      const file = join(stage.folder, 'huge');
      await writeFile(file, '');
      await stage.agent(`truncate -s ${HUGE} '${file}'`);
      await plainGit(stage.store.path, 'hash-object', '-w', file);
      return { before: 'left out', after: (await hasHuge(stage)) ? 'taken in' : 'left out' };
    },
    twin: COMMITS,
  },
  {
    name: "throws away the store's objects with its own git",
    subject: 'git store',
    async play(stage) {
      await takenInElsewhere(stage, 'echo theirs >work.txt && git add -A && git commit -qm work');
      await stage.agent(THROWING);
      return { before: 'whole', after: await state(stage.store.path) };
    },
    async careless(stage) {
      const careless = join(stage.folder, 'shared.git');
      await plainGit(sourceOf(stage.store.path), 'clone', '--quiet', '--bare', '--no-hardlinks', '.', careless);
      await stage.agent(
        `cd '${careless}' && ${THROWING}; for r in $(git for-each-ref --format='%(refname)'); do git update-ref -d $r; done; ${THROWING}`,
      );
      return {
        before: 'whole',
        after: await state(careless, stage.workspace.head),
      };
    },
    twin: scriptTwin('tidies up its own repository', 'git gc -q --prune=now && git log -1 --format=%s', 'First'),
  },
  {
    name: 'makes a base, or the folders of another workspace, its own to write in',
    subject: 'other runs',
    async play(stage) {
      const places = [join(stage.home, 'bases/one'), stage.workspaces.layoutOf('run2').tree];
      await stage.open({ run: 'run2' });
      await mkdir(places[0] ?? '', { recursive: true });
      await stage.agent(
        places
          .map(
            (place) =>
              `chmod -R u+w '${place}' 2>/dev/null; echo owned >'${place}/owned'; mv '${place}' '${place}.was'; ln -s '${stage.layout.tree}' '${place}'`,
          )
          .join('; '),
      );
      const intact = await Promise.all(places.map((place) => isFolderWithout(place, 'owned')));
      return { before: 'theirs', after: intact.every(Boolean) ? 'theirs' : 'written' };
    },
    twin: scriptTwin('renames folders of its own', 'mv src other && mv other src && cat src/one.txt', 'one'),
  },
];

/** A little more than the largest that is taken in, without anything in it. */
const HUGE = 1100 * 1024 * 1024;

async function hasHuge({ store }: Stage): Promise<boolean> {
  const sizes = await plainGit(store.path, 'cat-file', '--batch-all-objects', '--batch-check=%(objectsize)');
  return sizes.split('\n').includes(String(HUGE));
}

const THROWING = 'git reflog expire --expire=now --all; git prune --expire=now; git repack -adq; git gc -q --prune=now';

async function state(gitDir: string, base?: string): Promise<string> {
  const look = base === undefined ? ['fsck', '--full'] : ['cat-file', '-e', base];
  return plainGit(gitDir, ...look).then(
    () => 'whole',
    () => 'broken',
  );
}

async function isFolderWithout(folder: string, name: string): Promise<boolean> {
  const there = await lstat(folder).catch(() => undefined);
  const added = await lstat(join(folder, name)).catch(() => undefined);
  return there?.isDirectory() === true && added === undefined;
}
