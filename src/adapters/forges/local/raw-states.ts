import { type GitOptions, git } from '../../../lib/git/git.ts';

/** A path's mode and id on both sides of a difference. */
export interface RawState {
  readonly before: string;
  readonly after: string;
}

/** What differs, by path. Paths hold one character per byte, so that no name is lost in decoding. */
export async function rawStates(command: readonly string[], options: GitOptions): Promise<Map<string, RawState>> {
  const [name = '', ...args] = command;
  const form = ['--raw', '-z', '--no-renames', '--no-abbrev', '--no-ext-diff', '--ignore-submodules=dirty'];
  const fields = (await git([name, ...form, ...args], options)).toString('latin1').split('\0');
  const states = new Map<string, RawState>();
  for (let n = 0; n + 1 < fields.length; n += 2) {
    const [modeBefore = '', modeAfter = '', idBefore = '', idAfter = ''] = (fields[n] ?? '').slice(1).split(' ');
    states.set(fields[n + 1] ?? '', { before: `${modeBefore} ${idBefore}`, after: `${modeAfter} ${idAfter}` });
  }
  return states;
}

/** The state of a path that is not there. */
export function isAbsent(state: string): boolean {
  return state.startsWith('000000 ');
}

/** A path of bytes as text. */
export function textOf(path: string): string {
  return Buffer.from(path, 'latin1').toString();
}
