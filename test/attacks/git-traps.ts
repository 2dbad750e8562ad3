import { join } from 'node:path';
import type { Attack } from './attack.ts';
import { carelessly, fire, harnessWork, whatRan } from './harness-work.ts';
import { COMMITS } from './honest.ts';
import type { Stage } from './stage.ts';

export interface Trap {
  readonly name: string;
  readonly subject?: string;
  /** The agent's script, given a command that leaves traces and the same as a program. */
  readonly plant: (trap: { command: string; program: string; stage: Stage }) => string;
  /** What sets it off when nobody takes care. */
  readonly careless: string;
}

/** Something in an agent's checkout that makes a program run when git looks at it. */
export function trap({ name, subject = 'git in the checkout (2–6)', plant, careless }: Trap): Attack {
  const set = async (stage: Stage) => {
    const program = join(stage.layout.root, 'tree/fire');
    const said = await stage.agent(
      `printf '%s\\n' '#!/bin/sh' '${fire(stage)}; cat' >fire && chmod +x fire && ${plant({ command: fire(stage), program, stage })}`,
    );
    if (said.code !== 0) throw new Error(`the trap could not be set: ${said.output}`);
  };
  return {
    name: `has a program run by ${name}`,
    subject,
    async play(stage) {
      await set(stage);
      await harnessWork(stage);
      return { before: 'nothing ran', after: await whatRan(stage) };
    },
    async careless(stage) {
      await set(stage);
      await carelessly(stage, careless);
      return { before: 'nothing ran', after: await whatRan(stage) };
    },
    twin: COMMITS,
  };
}

/** Keys of the checkout's own configuration. */
export const set = (...entries: readonly (readonly [string, string])[]): string =>
  entries.map(([key, value]) => `git config '${key}' '${value}'`).join(' && ');

const SIGNED = `signed=$( (printf 'tree %s\\n' $(git rev-parse HEAD^{tree}); printf 'author a <a@b> 1 +0000\\ncommitter a <a@b> 1 +0000\\ngpgsig -----BEGIN PGP SIGNATURE-----\\n \\n x\\n -----END PGP SIGNATURE-----\\n\\nsigned\\n') | git hash-object -t commit -w --stdin)`;
const NESTED =
  'git init -q sub && echo in >sub/in && git -C sub add -A && git -C sub -c user.name=x -c user.email=x@y commit -qm in';

export const CHANGE = 'echo changed >README.md';
const hook = (name: string): Trap => ({
  name: `the hook ${name}`,
  plant: ({ program }) => `${CHANGE} && mkdir -p .git/hooks && ln -s ${program} .git/hooks/${name}`,
  careless:
    'git add -A && git commit -qm x && git switch -qc other && git rebase -q --exec true HEAD~1; git push -q . HEAD:refs/heads/pushed',
});

const TRAPS: readonly Trap[] = [
  {
    name: 'core.fsmonitor',
    plant: ({ program }) => set(['core.fsmonitor', program]),
    careless: 'git status',
  },
  ...['post-index-change', 'pre-commit', 'post-checkout', 'reference-transaction', 'pre-push'].map(hook),
  {
    name: 'core.hooksPath',
    plant: ({ program }) => `mkdir h && ln -s ${program} h/post-index-change && ${set(['core.hooksPath', 'h'])}`,
    careless: 'touch README.md && git status',
  },
  {
    name: 'filter.clean, by .gitattributes',
    plant: ({ program }) => `${set(['filter.x.clean', program])} && echo "* filter=x" >.gitattributes && ${CHANGE}`,
    careless: 'git status && git add -A',
  },
  {
    name: 'filter.smudge, by .gitattributes',
    plant: ({ program }) => `${set(['filter.x.smudge', program])} && echo "* filter=x" >.gitattributes && ${CHANGE}`,
    careless: 'git checkout -- README.md',
  },
  {
    name: 'filter.process, by .git/info/attributes',
    plant: ({ program }) =>
      `${set(['filter.x.process', program])} && mkdir -p .git/info && echo "* filter=x" >.git/info/attributes && ${CHANGE}`,
    careless: 'git add -A',
  },
  {
    name: 'diff.external',
    plant: ({ program }) => `${set(['diff.external', program])} && ${CHANGE}`,
    careless: 'git diff',
  },
  {
    name: 'diff.textconv, by .gitattributes',
    plant: ({ program }) => `${set(['diff.x.textconv', program])} && echo "* diff=x" >.gitattributes && ${CHANGE}`,
    careless: 'git diff',
  },
  {
    name: 'merge.driver, by .gitattributes',
    plant: ({ program }) =>
      `${set(['merge.x.driver', program])} && echo "* merge=x" >.gitattributes && git switch -qc side && ${CHANGE} && git commit -qam side && git switch -q - && echo other >README.md && git commit -qam other`,
    careless: 'git merge -q side',
  },
  {
    name: 'core.pager',
    plant: ({ program }) => set(['core.pager', program], ['pager.log', 'true']),
    careless: 'script -qec "git log" /dev/null',
  },
  {
    name: 'core.editor',
    plant: ({ program }) => `${CHANGE} && ${set(['core.editor', program])}`,
    careless: 'git commit -a',
  },
  {
    name: 'core.sshCommand',
    plant: ({ program }) => set(['core.sshCommand', program], ['remote.origin.url', 'ssh://nowhere.invalid/x']),
    careless: 'git fetch origin',
  },
  {
    name: 'a credential helper',
    plant: ({ program }) => set(['credential.helper', program]),
    careless: 'printf "protocol=https\\nhost=example.com\\n\\n" | git credential fill',
  },
  {
    name: 'an alias',
    plant: ({ command }) => `git config alias.st '!${command}'`,
    careless: 'git st',
  },
  {
    name: 'a file that its configuration includes',
    plant: ({ program }) =>
      `printf '[core]\\n\\tfsmonitor = ${program}\\n' >more && ${set(['include.path', '../more'])}`,
    careless: 'git status',
  },
  {
    name: 'gpg.program, to look at signatures',
    plant: ({ program }) =>
      `${set(['gpg.program', program], ['log.showSignature', 'true'])} && ${SIGNED} && git update-ref refs/heads/signed $signed`,
    careless: 'git log signed',
  },
  {
    name: 'gpg.program, to look at a stash with a signature',
    plant: ({ program }) =>
      `${set(['gpg.program', program], ['log.showSignature', 'true'])} && ${SIGNED} && git update-ref --create-reflog -m x refs/stash $signed`,
    careless: 'git stash list',
  },
  {
    name: 'a partial clone whose missing objects come by a program',
    plant: ({ program }) =>
      `${set(['extensions.partialClone', 'evil'], ['core.repositoryFormatVersion', '1'], ['remote.evil.promisor', 'true'], ['remote.evil.url', '.'], ['remote.evil.uploadpack', program])} && mkdir -p .git/refs/heads && echo 1111111111111111111111111111111111111111 >.git/refs/heads/missing`,
    careless: 'git log missing',
  },
  {
    name: '.git as a file that names another git directory',
    subject: 'git in the checkout (4)',
    plant: ({ program, stage }) =>
      `git init -q --bare elsewhere && git --git-dir=elsewhere config core.fsmonitor ${program} && git --git-dir=elsewhere config core.bare false && git --git-dir=elsewhere config core.worktree ${stage.layout.tree} && mv .git was && echo "gitdir: ${stage.layout.tree}/elsewhere" >.git`,
    careless: 'git status',
  },
  {
    name: 'commondir and core.worktree',
    subject: 'git in the checkout (4)',
    plant: ({ program, stage }) =>
      `git init -q --bare common && git --git-dir=common config core.fsmonitor ${program} && git --git-dir=common config core.bare false && echo ../common >.git/commondir && git --git-dir=common config core.worktree ${stage.layout.tree}/src`,
    careless: 'git status',
  },
  {
    name: 'a bare repository in a folder',
    subject: 'git in the checkout (4)',
    plant: ({ program }) =>
      `git init -q --bare sub && cd sub && git config core.bare false && git config core.worktree .. && git config core.fsmonitor ${program}`,
    careless: 'cd sub && git status',
  },
  {
    name: 'the file system monitor of a nested repository',
    subject: 'git in the checkout (5)',
    plant: ({ program }) => `${NESTED} && git -C sub config core.fsmonitor ${program} && touch sub/in`,
    careless: 'git add -A; git status',
  },
  {
    name: 'a filter of a nested repository',
    subject: 'git in the checkout (5)',
    plant: ({ program }) =>
      `${NESTED} && git -C sub config filter.x.clean ${program} && echo "* filter=x" >sub/.git/info/attributes && touch -d 2001-01-01 sub/in`,
    careless: 'git add -A; git status',
  },
  {
    name: 'a linked worktree and its git directory',
    subject: 'git in the checkout (4)',
    plant: ({ program }) => `git worktree add -q -b linked linked && ${set(['core.fsmonitor', program])}`,
    careless: 'cd linked && git status',
  },
  {
    name: 'a submodule that its .gitmodules updates by a command',
    plant: ({ command }) =>
      `${NESTED} && printf '[submodule "sub"]\\n\\tpath = sub\\n\\turl = ./sub\\n' >.gitmodules && git add -A && git commit -qm sub && git config submodule.sub.update '!${command}' && git config submodule.sub.url ./sub && rm -rf sub/in`,
    careless:
      'git -c protocol.file.allow=always submodule update --force; git -c protocol.file.allow=always submodule update --init',
  },
  {
    name: '.gitconfig in its HOME',
    plant: ({ program }) => `printf '[core]\\n\\tfsmonitor = ${program}\\n' >~/.gitconfig && touch README.md`,
    careless: 'HOME=../homes/coder git status',
  },
];

export const gitTraps: readonly Attack[] = TRAPS.map(trap);
