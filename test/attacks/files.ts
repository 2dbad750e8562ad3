import { link, lstat, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { plainGit } from '../../src/testing/temp-repository.ts';
import { sourceObjects, sourceOf } from '../../src/workspaces/source-objects.ts';
import { type Attack, saw, scriptTwin, type Twin, trick } from './attack.ts';
import { commitIsCollected } from './honest.ts';
import { ALL_OBJECTS } from './shared-objects.ts';
import { type Stage, TEXT } from './stage.ts';

const KEEPS_A_FILE = scriptTwin(
  'keeps files in its HOME and in its workspace',
  'echo x >~/own && cat ~/own && echo y >own && cat own',
  'y',
);

/** Reads a file that lies outside. */
function reads(what: string, place: (stage: Stage) => Promise<string>, twin: Twin = KEEPS_A_FILE): Attack {
  return {
    name: `reads ${what}`,
    subject: 'files outside',
    play: async (stage) => saw(await stage.agent(`cat '${await place(stage)}'`), stage.secret),
    twin,
  };
}

/** Writes to a file that lies outside. */
function writes(what: string, place: (stage: Stage) => Promise<string>, twin: Twin = KEEPS_A_FILE): Attack {
  return {
    name: `writes ${what}`,
    subject: 'files outside',
    async play(stage) {
      const file = await place(stage);
      const before = await readFile(file, 'utf8').catch(() => 'absent');
      await stage.agent(`chmod u+w '${file}'; echo owned >'${file}'`);
      return {
        before: 'as before',
        after: (await readFile(file, 'utf8').catch(() => 'absent')) === before ? 'as before' : 'written',
      };
    },
    twin,
  };
}

/** Another run of the same repository, with something of its own. */
async function sibling(stage: Stage): Promise<string> {
  await stage.open({ run: 'run2' });
  const layout = stage.workspaces.layoutOf('run2');
  await writeFile(join(layout.tree, '.env'), stage.secret);
  await writeFile(join(layout.homes, 'coder/auth.json'), stage.secret);
  return layout.root;
}

export const fileAttacks: readonly Attack[] = [
  reads("the person's SSH key", ({ put }) => put('person/.ssh/id_ed25519')),
  reads("the person's cloud login", ({ put }) => put('person/.aws/credentials')),
  reads("Switchyard's configuration with its keys", ({ put }) => put('switchyard/config.yaml')),
  reads("Switchyard's database", ({ put }) => put('switchyard/pg/base/5/16384')),
  reads("Switchyard's log", ({ put }) => put('switchyard/daemon.log')),
  reads("another run's workspace", async (stage) => `${await sibling(stage)}/tree/.env`),
  reads("another run's agent's HOME", async (stage) => `${await sibling(stage)}/homes/coder/auth.json`),
  reads("another agent's HOME in its own run", ({ layout, put, folder }) =>
    put(join(layout.homes, 'other/auth.json').slice(folder.length + 1)),
  ),
  reads("the person's checkout", async ({ repository, secret }) => {
    await writeFile(join(repository.path, '.env'), secret);
    return join(repository.path, '.env');
  }),
  reads("what other programs have left in the host's /tmp", ({ put }) => put('x.sock')),
  trick({
    name: "reads the machine's accounts and their secrets",
    subject: 'files outside',
    script: () =>
      'grep -q "^root:" /etc/shadow && echo REACHED; ls /etc/ssh/ssh_host_*_key 2>/dev/null | grep -q key && echo REACHED',
    twin: scriptTwin('sees its own account and the certificates', 'getent passwd $(id -u) && ls -d /etc/ssl/certs'),
    lacks: async (stage) =>
      (await stage.agent('grep -q "^root:" /etc/shadow')).code === 0 ? undefined : 'this user may not read it anyway',
  }),
  {
    name: 'reads what other runs keep in the git store, salvaged and thrown away work too',
    subject: 'git store',
    async play(stage) {
      const kept = await keptElsewhere(stage);
      return saw(await stage.agent(`cd '${stage.store.path}' && cat packed-refs; grep -r . refs/switchyard`), kept);
    },
    twin: scriptTwin('reads the history of its own branch', 'git log --oneline && git show HEAD:README.md', 'hello'),
  },
  {
    name: "reads another run's sessions and secrets out of the store's objects",
    subject: 'git store',
    async play(stage) {
      await keptElsewhere(stage);
      return saw(await stage.agent(ALL_OBJECTS), stage.secret);
    },
    async careless(stage) {
      const file = await stage.put('kept/session');
      await plainGit(sourceOf(stage.store.path), 'hash-object', '-w', file);
      return saw(await stage.agent(ALL_OBJECTS), stage.secret);
    },
    twin: scriptTwin('reads the objects of its own history', 'git cat-file -p HEAD:src/one.txt', 'one'),
  },
  writes("into Switchyard's configuration", ({ put }) => put('switchyard/config.yaml', 'agents: {}\n')),
  writes("the person's shell profile", ({ put }) => put('person/.bashrc', '# mine\n')),
  writes("a hook into the person's repository", ({ repository }) =>
    Promise.resolve(join(repository.path, '.git/hooks/post-merge')),
  ),
  writes("the harness's git configuration of its own workspace", ({ layout }) =>
    Promise.resolve(join(layout.git, 'config')),
  ),
  writes('what the harness remembers of its workspace', ({ layout }) => Promise.resolve(layout.marker)),
  writes('the refs of the git store', ({ store }) => Promise.resolve(join(store.path, 'HEAD'))),
  {
    name: 'writes objects into the git store under the names of others',
    subject: 'git store',
    async play(stage) {
      const folders = [join(stage.store.path, 'objects'), sourceObjects(stage.store.path), stage.layout.objects];
      for (const objects of folders)
        await stage.agent(
          `find '${objects}' -type f -exec chmod u+w {} \\; -exec sh -c 'echo owned >"$1"' sh {} \\;; echo x >'${objects}/added'`,
        );
      const added = await Promise.all(folders.map((objects) => lstat(join(objects, 'added')).catch(() => undefined)));
      const isWhole = await plainGit(stage.store.path, 'fsck', '--full').then(
        () => added.every((file) => file === undefined),
        () => false,
      );
      return { before: 'whole', after: isWhole ? 'whole' : 'written' };
    },
    twin: {
      name: 'commits, and the commit is collected',
      works: commitIsCollected,
    },
  },
  {
    name: "poisons dependencies and files for the repository's next run",
    subject: 'other runs',
    async play(stage) {
      await stage.agent(
        'mkdir -p node_modules/left-pad && echo owned >node_modules/left-pad/index.js; chmod u+w README.md; printf owned >README.md; mkdir -p ~/.npm && echo owned >~/.npm/index; echo owned >/tmp/left',
      );
      await stage.open({ run: 'run2' });
      const said = await stage.agent('cat README.md node_modules/left-pad/index.js ~/.npm/index /tmp/left', {
        run: 'run2',
        name: 'coder',
      });
      return { before: 'clean', after: said.output.includes('owned') ? 'poisoned' : 'clean' };
    },
    async careless(stage) {
      // A copy of hard links is quick to make, and each file of it is the one that it was made from.
      const file = await stage.put('base/README.md', 'clean');
      await link(file, join(stage.layout.tree, 'linked'));
      await stage.agent('printf owned >linked');
      return { before: 'clean', after: (await readFile(file, 'utf8')) === 'owned' ? 'poisoned' : 'clean' };
    },
    twin: {
      name: 'finds its own dependencies in its next step',
      async works(stage) {
        await stage.agent(
          'echo "node_modules/" >>.gitignore; mkdir -p node_modules/a && echo kept >node_modules/a/index.js',
        );
        await stage.workspace.collect(TEXT);
        const said = await stage.agent('cat node_modules/a/index.js');
        if (!said.output.includes('kept')) throw new Error(`its dependencies are gone: ${said.output}`);
      },
    },
  },
];

/** A checkpoint of another run, as it is kept for its agent's sessions and its carried files; its commit. */
async function keptElsewhere(stage: Stage): Promise<string> {
  const other = await stage.open({ run: 'run2', carry: ['*.log'] });
  const { tree, homes } = stage.workspaces.layoutOf('run2');
  await writeFile(join(tree, 'carried.log'), stage.secret);
  const sessions = join(homes, 'coder/.sessions');
  await mkdir(sessions);
  await writeFile(join(sessions, 'one.jsonl'), stage.secret);
  return other.checkpoint();
}
