import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { plainGit } from '../../src/testing/temp-repository.ts';
import { type Attack, type Canary, scriptTwin } from './attack.ts';
import { carelessly, harnessWork } from './harness-work.ts';
import { COMMITS } from './honest.ts';
import { waiting, waitsFor } from './names.ts';
import { perl } from './outside.ts';
import { type Stage, TEXT } from './stage.ts';

/** What an agent leaves for those who come after it and read its files: nothing of it may hold them up, or lead them elsewhere. */

const SOCKET = perl('use IO::Socket::UNIX; IO::Socket::UNIX->new(Listen => 1, Local => "left/socket") or die');

/** Whatever of it the user may make; devices are for root without walls. */
const ALL_SORTS = `mkdir left && ${SOCKET} && mkfifo left/pipe && mknod left/device c 1 5 2>/dev/null; ln -s /dev/zero left/endless; ln -s . left/round; ln -s left/pipe to-pipe; echo more >>README.md`;

const OWN_SESSION = scriptTwin(
  'keeps a session file',
  'mkdir -p ~/.sessions && echo x >~/.sessions/one && cat ~/.sessions/one',
  'x',
);

/** A link in the place of something that the harness, or git in its name, writes. */
function written(place: string, plant = `rm -rf ${place}; ln -s $target ${place}`): Attack {
  const set = async (stage: Stage) => {
    await stage.agent(`target='${stage.target}'; echo more >>README.md; ${plant}`);
  };
  return {
    name: `has a file of the person's written over by a link in the place of ${place}`,
    subject: 'links (7)',
    async play(stage) {
      await set(stage);
      await harnessWork(stage).catch(() => undefined);
      return { before: 'untouched', after: await stage.targetText() };
    },
    async careless(stage) {
      await set(stage);
      await carelessly(stage, `printf owned >${place}`);
      return { before: 'untouched', after: await stage.targetText() };
    },
    twin: COMMITS,
  };
}

const LOCKS = ['index', 'HEAD', 'config', 'packed-refs', 'shallow', 'refs/heads/switchyard/fix-it'];

export const leftBehind: readonly Attack[] = [
  ...['.git/HEAD', '.git/packed-refs', '.git/index'].map((file) =>
    waiting(file, 'git status; git add -A; git pack-refs --all'),
  ),
  {
    name: 'leaves a socket, a pipe, a device and links without an end in its checkout',
    subject: 'special files',
    async play(stage) {
      await stage.agent(ALL_SORTS);
      await harnessWork(stage);
      const head = await stage.store.resolve('refs/switchyard/runs/run1/head');
      const modes = await plainGit(stage.store.path, 'ls-tree', '-r', head ?? 'HEAD');
      const isPlain = modes.includes('README.md') && !/left\/(pipe|socket|device)/.test(modes);
      return { before: 'goes on', after: isPlain ? 'goes on' : `took ${modes}` };
    },
    async careless(stage) {
      await stage.agent(ALL_SORTS);
      return { before: 'goes on', after: await waitsFor(stage, 'left/pipe', carelessly(stage, 'cat left/pipe')) };
    },
    twin: {
      name: 'leaves a link, which is collected as one',
      async works(stage) {
        await stage.agent('ln -s README.md here');
        const { head } = await stage.workspace.collect(TEXT);
        const said = await plainGit(stage.store.path, 'ls-tree', head, 'here');
        if (!said.startsWith('120000')) throw new Error(`it was collected as ${said}`);
      },
    },
  },
  {
    name: 'leaves a pipe in the place of a session file',
    subject: 'special files',
    async play(stage) {
      await stage.agent('mkdir ~/.sessions && mkfifo ~/.sessions/one.jsonl');
      const after = await waitsFor(stage, '../homes/coder/.sessions/one.jsonl', harnessWork(stage));
      return { before: 'goes on', after };
    },
    async careless(stage) {
      await stage.agent('mkdir ~/.sessions && mkfifo ~/.sessions/one.jsonl');
      const place = '../homes/coder/.sessions/one.jsonl';
      return { before: 'goes on', after: await waitsFor(stage, place, carelessly(stage, `cat ${place}`)) };
    },
    twin: OWN_SESSION,
  },
  {
    name: 'leaves a session file that never ends',
    subject: 'special files',
    async play(stage) {
      await stage.agent('mkdir ~/.sessions && ln -s /dev/zero ~/.sessions/one.jsonl');
      await harnessWork(stage);
      return { before: 'ends', after: 'ends' };
    },
    async careless(stage) {
      await stage.agent('mkdir ~/.sessions && ln -s /dev/zero ~/.sessions/one.jsonl');
      await carelessly(stage, `head -c 50000000 ../homes/coder/.sessions/one.jsonl | wc -c >${stage.target}`);
      return { before: 'ends', after: (await stage.targetText()).startsWith('50000000') ? 'never ends' : 'ends' };
    },
    twin: OWN_SESSION,
  },
  {
    name: 'leaves locks of git that nobody will take away',
    subject: 'special files',
    async play(stage) {
      await stage.agent(leaveLocks());
      return collected(stage);
    },
    async careless(stage) {
      await stage.agent(leaveLocks());
      await carelessly(stage, 'git add -A && git commit -qm more');
      const said = await plainGit(stage.layout.tree, 'log', '-1', '--format=%s');
      return { before: 'collected', after: said === 'more' ? 'collected' : 'cannot be' };
    },
    twin: COMMITS,
  },
  written('.git/index'),
  written('.git/HEAD'),
  written('.git/config'),
  written(
    '.git/refs/heads/switchyard/fix-it',
    'git commit -qam more; mkdir -p .git/refs/heads/switchyard; ln -sf $target .git/refs/heads/switchyard/fix-it',
  ),
  {
    name: 'has files outside put back as they were by a link in the place of a folder',
    subject: 'links (7)',
    async play(stage) {
      const folder = await linkedFolder(stage);
      await harnessWork(stage);
      return { before: 'theirs', after: await readFile(join(folder, 'one.txt'), 'utf8').catch(() => 'gone') };
    },
    async careless(stage) {
      const folder = await linkedFolder(stage);
      await carelessly(stage, 'git show HEAD:src/one.txt >src/one.txt');
      return { before: 'theirs', after: await readFile(join(folder, 'one.txt'), 'utf8') };
    },
    twin: COMMITS,
  },
];

function leaveLocks(): string {
  const locks = LOCKS.map((name) => `.git/${name}.lock`).join(' ');
  return `echo more >>README.md; mkdir -p .git/refs/heads/switchyard; touch ${locks}`;
}

async function collected(stage: Stage): Promise<Canary> {
  const after = await stage.workspace.collect(TEXT).then(
    ({ changed }) => (changed ? 'collected' : 'not seen'),
    () => 'cannot be',
  );
  return { before: 'collected', after };
}

/** A folder of the person's with a file of the same name, in whose place the agent puts a link. */
async function linkedFolder(stage: Stage): Promise<string> {
  const folder = join(stage.person, 'src');
  await mkdir(folder);
  await writeFile(join(folder, 'one.txt'), 'theirs');
  await stage.agent(`rm -rf src && ln -s ${folder} src && echo more >>README.md`);
  return folder;
}
