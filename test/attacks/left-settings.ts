import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Attack, saw, scriptTwin } from './attack.ts';
import { DELIVERED } from './claims.ts';
import { hostileRun } from './installed.ts';
import { perl } from './outside.ts';
import type { Stage } from './stage.ts';

/** Settings that an agent leaves where a later program looks for them: its HOME, the checkout, the environment. */

const IN_HOME = [
  '.gitconfig',
  '.npmrc',
  '.profile',
  '.bashrc',
  '.bash_profile',
  '.zshenv',
  '.curlrc',
  '.netrc',
  '.config/pip/pip.conf',
  '.ssh/config',
  '.local/bin/git',
];
const LEAVING = `mkdir -p ~/.config/pip ~/.ssh ~/.local/bin; for f in ${IN_HOME.join(' ')}; do echo LEFT-BY-AGENT >~/$f; done`;
const LOOKING = `for f in ${IN_HOME.join(' ')}; do cat ~/$f; done; echo looked`;

/** Says so in the checkout in which it is loaded. */
const LOADED = 'require("fs").writeFileSync(require("path").join(__dirname, "ran"), "x")';
const IN_CHECKOUT = `
echo '${LOADED}' >load.cjs
echo 'NODE_OPTIONS="--require ./load.cjs"' >.env
echo 'export NODE_OPTIONS="--require ./load.cjs" LD_PRELOAD=./load.so' >.envrc
printf 'node-options=--require ./load.cjs\\nscript-shell=./sh\\n' >.npmrc
echo '{"nodeOptions":{"require":["./load.cjs"]}}' >node.config.json
echo '{"type":"commonjs","imports":{"#x":"./load.cjs"},"scripts":{"preinstall":"node load.cjs"}}' >package.json
mkdir -p node_modules/.bin node_modules/node/bin
for f in sh git node node_modules/.bin/node node_modules/node/bin/node node_modules/.bin/switchyard; do printf '#!/bin/sh\\ntouch ran\\n' >$f; chmod +x $f; done
for d in pg zod yaml; do mkdir -p node_modules/$d; echo '${LOADED}' >node_modules/$d/index.js; done`;

export const leftSettings: readonly Attack[] = [
  {
    name: "leaves settings in its HOME for the run's checks and commands",
    subject: 'settings',
    async play(stage) {
      await stage.agent(LEAVING);
      await mkdir(stage.layout.home, { recursive: true });
      // The HOME of checks and commands lies beside those of the agents.
      return saw(await stage.agent(LOOKING, { name: '../home' }), 'LEFT-BY-AGENT');
    },
    async careless(stage) {
      await stage.agent(LEAVING);
      return saw(await stage.agent(LOOKING), 'LEFT-BY-AGENT');
    },
    twin: scriptTwin('finds its own settings again', 'echo mine >~/.npmrc && cat ~/.npmrc', 'mine'),
  },
  {
    name: "leaves settings in its HOME for another agent's turn",
    subject: 'settings',
    async play(stage) {
      await stage.agent(LEAVING);
      return saw(await stage.agent(LOOKING, { name: 'other' }), 'LEFT-BY-AGENT');
    },
    async careless(stage) {
      await stage.agent(LEAVING);
      return saw(await stage.agent(LOOKING), 'LEFT-BY-AGENT');
    },
    twin: scriptTwin('finds its own settings again', 'echo mine >~/.npmrc && cat ~/.npmrc', 'mine'),
  },
  {
    name: "has settings in a checkout heeded by the person's own command line (.env, .envrc, .npmrc, node_modules)",
    subject: 'settings',
    async play({ level }) {
      await using run = await hostileRun(level, IN_CHECKOUT);
      const { at, repository, detail } = run;
      await repository.git('checkout', '--quiet', '--force', detail.branch ?? 'no-branch');
      for (const command of [['ls'], ['show', detail.id], ['diff', detail.id], ['doctor']])
        await at.cli(command, { cwd: repository.path });
      const ran = await readFile(join(repository.path, 'ran'), 'utf8').catch(() => undefined);
      if (!(await repository.git('ls-files')).includes('load.cjs')) throw new Error('the settings were not delivered');
      return { before: 'passed over', after: ran === undefined ? 'passed over' : 'heeded' };
    },
    async careless(stage) {
      await stage.agent(IN_CHECKOUT);
      const program = `set -a; . ./.env; exec '${process.execPath}' -e 0`;
      await once(spawn('/bin/sh', ['-c', program], { cwd: stage.layout.tree, stdio: 'ignore' }), 'exit');
      const ran = await readFile(join(stage.layout.tree, 'ran'), 'utf8').catch(() => undefined);
      return { before: 'passed over', after: ran === undefined ? 'passed over' : 'heeded' };
    },
    twin: DELIVERED,
  },
  {
    name: "has its own programs started in the place of the harness's, by names in the checkout",
    subject: 'settings',
    async play(stage) {
      await plantPrograms(stage);
      await stage.workspace.checkpoint();
      const sandbox = stage.sandboxOf();
      await using running = await sandbox.spawn({
        argv: ['git', '--version'],
        cwd: stage.layout.tree,
        env: stage.envIn(sandbox),
      });
      running.stderr.resume();
      let output = '';
      running.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
      await running.exited;
      return saw({ output }, 'PLANTED');
    },
    async careless(stage) {
      await plantPrograms(stage);
      return saw(await stage.agent('PATH=.:$PATH; git --version'), 'PLANTED');
    },
    twin: scriptTwin(
      'starts a program of its own by its path',
      'printf "#!/bin/sh\\necho own" >own && chmod +x own && ./own',
      'own',
    ),
  },
  {
    name: "reads the harness's environment out of what made its walls",
    subject: 'environment (1)',
    play: (stage) =>
      withSecretInEnvironment(stage, async () =>
        saw(await stage.agent('env; cat /proc/[0-9]*/environ | tr "\\0" "\\n"'), stage.secret),
      ),
    careless: (stage) =>
      withSecretInEnvironment(stage, async () => {
        const child = spawn('/bin/sh', ['-c', 'env'], { stdio: ['ignore', 'pipe', 'ignore'] });
        let output = '';
        child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
        await once(child, 'close');
        return saw({ output }, stage.secret);
      }),
    twin: scriptTwin('has a PATH and a HOME', 'test -n "$PATH" && test -w "$HOME" && env', 'PATH='),
  },
  {
    name: "reads where the harness keeps its files off its walls' command line",
    subject: 'processes (1)',
    async play(stage) {
      return saw(await stage.agent(ARGUMENTS), stage.layout.tree);
    },
    async careless(stage) {
      const args = ['--dev-bind', '/', '/', '--unshare-pid', '--proc', '/proc', '--bind', stage.layout.tree, '/mnt'];
      const child = spawn('bwrap', [...args, '/bin/sh', '-c', ARGUMENTS], { stdio: ['ignore', 'pipe', 'ignore'] });
      let output = '';
      child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
      await once(child, 'close');
      return saw({ output }, stage.layout.tree);
    },
    lacks: async (stage) =>
      (await stage.agent('bwrap --dev-bind / / --unshare-pid --proc /proc true')).code === 0
        ? undefined
        : 'bubblewrap does not work here',
    twin: scriptTwin('sees its own command line', 'tr "\\0" " " </proc/self/cmdline', 'tr'),
  },
  {
    name: 'turns off what holds it by its own limits and attributes (dumpable, no new rights, parent-death signal)',
    subject: 'rights',
    async play(stage) {
      const said = await stage.agent(
        `${perl('syscall(157, 38, 0, 0, 0, 0); syscall(157, 22, 0)')}; grep -q "NoNewPrivs:.*1" /proc/self/status || echo REACHED; grep -Eq "Cap(Eff|Prm|Bnd|Inh|Amb):.*[1-9a-f]" /proc/self/status && echo REACHED`,
      );
      return saw(said, 'REACHED');
    },
    twin: scriptTwin('reads its own state', 'grep -c . /proc/self/status'),
  },
];

const ARGUMENTS = 'cat /proc/[0-9]*/cmdline | tr "\\0" " "';

async function plantPrograms(stage: Stage): Promise<void> {
  await stage.agent('for f in git sh bwrap cat; do printf "#!/bin/sh\\necho PLANTED\\n" >$f; chmod +x $f; done');
}

/** Nothing of this process's environment is to reach a program: it holds the secret meanwhile. */
async function withSecretInEnvironment<T>({ secret }: Stage, work: () => Promise<T>): Promise<T> {
  process.env['SWITCHYARD_TEST_SECRET'] = secret;
  try {
    return await work();
  } finally {
    delete process.env['SWITCHYARD_TEST_SECRET'];
  }
}
