import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { usedByThread } from '../../src/adapters/agents/codex/rollout.ts';
import { readCommits } from '../../src/lib/git/commits.ts';
import { git } from '../../src/lib/git/git.ts';
import { putFile } from '../../src/ports/agent-home.ts';
import { plainGit } from '../../src/testing/temp-repository.ts';
import { readCheckpoint } from '../../src/workspaces/checkpoints.ts';
import { type Attack, type Canary, KEPT, type Twin } from './attack.ts';
import { carelessly, harnessWork } from './harness-work.ts';
import { COMMITS } from './honest.ts';
import { type Stage, TEXT } from './stage.ts';

/** Whether the secret is anywhere in what the harness keeps and gives out: all objects of its store. */
async function inStore({ store, secret }: Stage): Promise<Canary> {
  const objects = await git(['cat-file', '--batch-all-objects', '--batch', '--buffer'], { gitDir: store.path });
  return { before: KEPT, after: objects.includes(secret) ? 'collected' : KEPT };
}

const NO_FILES = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';

/** Whether a checkpoint of the workspace has session files; what they are, only the harness can read. */
async function keepsSessions({ workspace, store }: Stage): Promise<boolean> {
  const { entries } = await readCheckpoint(store.path, await workspace.checkpoint());
  return [...entries.keys()].some((name) => name.startsWith('homes.') && name !== `homes.${NO_FILES}`);
}

const LINKS: Twin = {
  name: 'has its links collected as links',
  async works(stage) {
    await stage.agent('ln -s README.md here && ln -s /etc/hostname there');
    const { head } = await stage.workspace.collect(TEXT);
    const said = await plainGit(stage.store.path, 'ls-tree', head, 'here', 'there');
    if (said.match(/^120000 /gm)?.length !== 2) throw new Error(`they were collected as ${said}`);
  },
};

/** A script of the agent that leads the harness outside, and what somebody would read who follows. */
function leads(name: string, script: (secret: string) => string, careless: string): Attack {
  const plant = async (stage: Stage) => {
    const secret = await stage.put('person/.ssh/one.txt');
    await stage.agent(script(secret));
  };
  return {
    name,
    subject: 'links (7)',
    async play(stage) {
      await plant(stage);
      await harnessWork(stage);
      return inStore(stage);
    },
    async careless(stage) {
      await plant(stage);
      const read = await readFile(join(stage.layout.tree, careless), 'utf8');
      return { before: KEPT, after: read.includes(stage.secret) ? 'read' : KEPT };
    },
    twin: LINKS,
  };
}

const FORGED_HISTORY = `
base=$(git rev-parse HEAD)
git replace -f $base $(git commit-tree -m forged HEAD^{tree})
echo $base >.git/info/grafts
echo changed >README.md`;

const USAGE = JSON.stringify({
  type: 'event_msg',
  payload: {
    type: 'token_count',
    info: {
      total_token_usage: {
        input_tokens: 1,
        cached_input_tokens: 0,
        output_tokens: 1,
        reasoning_output_tokens: 0,
        total_tokens: 2,
      },
    },
  },
});

const OTHER_REPOSITORY = 'person/other';

export const linkAttacks: readonly Attack[] = [
  leads(
    'has a secret read by a link to it',
    (secret) => `ln -s ${secret} link && git add link && git commit -qm link`,
    'link',
  ),
  leads(
    'has a secret read by a link in the place of a folder',
    (secret) => `rm -rf src && ln -s $(dirname ${secret}) src`,
    'src/one.txt',
  ),
  {
    name: 'has a secret read by swapping a folder for a link while the harness looks',
    subject: 'links (7)',
    async play(stage) {
      const secret = await stage.put('person/.ssh/one.txt');
      const sandbox = stage.sandboxOf();
      await using swapping = await sandbox.spawn({
        argv: [
          '/bin/sh',
          '-c',
          `ln -s $(dirname ${secret}) link; while :; do mv src real; mv link src; mv src link; mv real src; done`,
        ],
        cwd: stage.layout.tree,
        env: stage.envIn(sandbox),
      });
      swapping.stdout.resume();
      swapping.stderr.resume();
      for (let look = 0; look < 8; look++) await stage.workspace.checkpoint().catch(() => undefined);
      await swapping.stop(0);
      await stage.workspace.collect(TEXT);
      return inStore(stage);
    },
    async careless(stage) {
      // A look at what kind of file it is, then the swap, then the reading: as it goes when one process is unlucky.
      const secret = await stage.put('person/.ssh/one.txt');
      await stage.agent('test -f src/one.txt');
      await stage.agent(`mv src real && ln -s $(dirname ${secret}) src`);
      const read = await readFile(join(stage.layout.tree, 'src/one.txt'), 'utf8');
      return { before: KEPT, after: read.includes(stage.secret) ? 'read' : KEPT };
    },
    twin: LINKS,
  },
  {
    name: 'has a secret collected by a second name for its file',
    subject: 'links (7)',
    async play(stage) {
      const secret = await stage.put('person/.ssh/one.txt');
      await stage.agent(`ln ${secret} second`);
      await harnessWork(stage);
      return inStore(stage);
    },
    twin: COMMITS,
  },
  {
    name: "has another repository's objects collected by naming its folder as an alternate",
    subject: 'links (7)',
    async play(stage) {
      const other = join(stage.folder, OTHER_REPOSITORY);
      await stage.put(`${OTHER_REPOSITORY}/file`);
      await plainGit(other, 'init', '--quiet');
      await plainGit(other, 'add', '-A');
      await plainGit(other, '-c', 'user.name=x', '-c', 'user.email=x@y', 'commit', '--quiet', '-m', 'x');
      const commit = await plainGit(other, 'rev-parse', 'HEAD');
      await stage.agent(
        `echo ${other}/.git/objects >>.git/objects/info/alternates && mkdir -p .git/refs/heads && echo ${commit} >.git/refs/heads/theirs`,
      );
      await harnessWork(stage);
      return inStore(stage);
    },
    twin: COMMITS,
  },
  {
    name: "has session files of the person's collected by a link in its HOME",
    subject: 'session files',
    async play(stage) {
      const secret = await stage.put('person/.sessions/one.jsonl');
      await stage.agent(`ln -s $(dirname ${secret}) ~/.sessions`);
      await harnessWork(stage);
      return { before: KEPT, after: (await keepsSessions(stage)) ? 'collected' : KEPT };
    },
    async careless(stage) {
      const secret = await stage.put('person/.sessions/one.jsonl');
      await stage.agent(`ln -s $(dirname ${secret}) ~/.sessions`);
      const read = await readFile(join(stage.layout.homes, 'coder/.sessions/one.jsonl'), 'utf8');
      return { before: KEPT, after: read.includes(stage.secret) ? 'read' : KEPT };
    },
    twin: {
      name: 'has its own session files kept',
      async works(stage) {
        await stage.agent(`mkdir ~/.sessions && echo ${stage.secret} >~/.sessions/one.jsonl`);
        if (!(await keepsSessions(stage))) throw new Error('they are in no checkpoint');
      },
    },
  },
  {
    name: "has another session's usage read by a link in its HOME",
    subject: 'session files',
    async play(stage) {
      await linkedSession(stage);
      return {
        before: KEPT,
        after: usedByThread(join(stage.layout.homes, 'coder'), 'abc') === undefined ? KEPT : 'read',
      };
    },
    async careless(stage) {
      await linkedSession(stage);
      const read = await readFile(join(stage.layout.homes, 'coder/.codex/sessions/rollout-1-abc.jsonl'), 'utf8');
      return { before: KEPT, after: read.includes('token_count') ? 'read' : KEPT };
    },
    twin: {
      name: 'has the usage of its own session read',
      async works(stage) {
        await stage.agent(`mkdir -p ~/.codex/sessions && echo '${USAGE}' >~/.codex/sessions/rollout-1-abc.jsonl`);
        if (usedByThread(join(stage.layout.homes, 'coder'), 'abc') === undefined) throw new Error('it is not found');
      },
    },
  },
  {
    name: "has the harness write its configuration over the person's by a link in its HOME",
    subject: 'session files',
    async play(stage) {
      const file = await stage.put('person/.codex/config.toml', 'mine');
      await stage.agent(`ln -s $(dirname ${file}) ~/.codex`);
      const home = join(stage.layout.homes, 'coder');
      await putFile(home, join(home, '.codex/config.toml'), 'owned').catch(() => undefined);
      return { before: 'mine', after: await readFile(file, 'utf8') };
    },
    async careless(stage) {
      const file = await stage.put('person/.codex/config.toml', 'mine');
      await stage.agent(`ln -s $(dirname ${file}) ~/.codex`);
      await carelessly(stage, 'printf owned >../homes/coder/.codex/config.toml');
      return { before: 'mine', after: await readFile(file, 'utf8') };
    },
    twin: {
      name: 'gets its configuration',
      async works(stage) {
        const home = join(stage.layout.homes, 'coder');
        await putFile(home, join(home, '.codex/config.toml'), 'given');
        const said = await stage.agent('cat ~/.codex/config.toml');
        if (!said.output.includes('given')) throw new Error(`it reads ${said.output}`);
      },
    },
  },
  {
    name: 'has a history told that is none, by replacements, grafts and a cut',
    subject: 'git in the checkout',
    async play(stage) {
      const base = stage.workspace.head;
      await stage.agent(FORGED_HISTORY);
      await harnessWork(stage);
      const told = await readCommits(stage.store.path, ['refs/switchyard/runs/run1/head']);
      const refs = await stage.repository.git('for-each-ref', '--format=%(refname)');
      const isForged = told.some(({ message }) => message.includes('forged')) || refs.includes('replace');
      return { before: 'true', after: isForged || !told.some(({ id }) => id === base) ? 'forged' : 'true' };
    },
    async careless(stage) {
      await stage.agent(FORGED_HISTORY);
      await carelessly(stage, `git log --format=%s >${stage.target}`);
      return { before: 'true', after: (await stage.targetText()).includes('forged') ? 'forged' : 'true' };
    },
    twin: COMMITS,
  },
];

async function linkedSession(stage: Stage): Promise<void> {
  const file = await stage.put('person/.codex/sessions/rollout-1-abc.jsonl', `${USAGE}\n`);
  await stage.agent(`mkdir ~/.codex && ln -s $(dirname ${file}) ~/.codex/sessions`);
}
