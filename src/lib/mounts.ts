import { readFileSync } from 'node:fs';
import { messageOf } from './error.ts';
import { runOwn } from './exec/own-program.ts';
import { isWithin } from './is-within.ts';

/** Something mounted, as this process sees it. */
export interface MountPoint {
  readonly path: string;
  /** The file system's type, for instance `overlay`. */
  readonly type: string;
  /** What was named as the thing mounted; whoever mounts an overlay may name it as they like. */
  readonly source: string;
}

/** What is mounted in the folder and at the folder itself, what lies deepest first. Empty where there is no /proc. */
export function mountsBelow(folder: string): MountPoint[] {
  const below = allMounts().filter(({ path }) => isWithin(path, folder));
  // A later mount may lie over an earlier one at the same place.
  return below.reverse().sort((a, b) => b.path.split('/').length - a.path.split('/').length);
}

/**
 * Takes down what is mounted at the path. Where something still uses it, it is taken out of sight at once and ends with its last user:
 * that is `busy`. Throws when neither works.
 */
export async function unmount(path: string): Promise<'unmounted' | 'busy'> {
  const first = await umount(['-n', '--', path]);
  if (first === undefined) return 'unmounted';
  const second = await umount(['-n', '-l', '--', path]);
  if (second === undefined) return 'busy';
  if (!mountsBelow(path).some((mount) => mount.path === path)) return 'unmounted'; // by somebody else meanwhile
  throw new Error(`${path} could not be unmounted: ${first}`);
}

/** Takes down all that is mounted in the folder and at it; returns the paths of what something still uses. */
export async function unmountBelow(folder: string): Promise<string[]> {
  const busy: string[] = [];
  for (const { path } of mountsBelow(folder)) if ((await unmount(path)) === 'busy') busy.push(path);
  return busy;
}

/** Runs a program of util-linux, from a folder; what it complained of, or undefined when all went well. */
export async function runMounter(
  file: 'mount' | 'umount',
  args: readonly string[],
  cwd: string,
): Promise<string | undefined> {
  try {
    const { code, stderr } = await runOwn(file, args, { cwd });
    return code === 0 ? undefined : stderr.trim() || `${file} ended with ${code}`;
  } catch (error) {
    return messageOf(error);
  }
}

function umount(args: readonly string[]): Promise<string | undefined> {
  return runMounter('umount', args, '/');
}

function allMounts(): MountPoint[] {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .flatMap((line) => parseMount(line));
  } catch {
    return []; // another system
  }
}

/** `id parent device root PATH options … - TYPE SOURCE …`, spaces within a field as `\040`. */
function parseMount(line: string): MountPoint[] {
  const [before = '', after] = line.split(' - ', 2);
  const path = before.split(' ')[4];
  const [type, source] = after?.split(' ') ?? [];
  if (path === undefined || type === undefined || source === undefined) return [];
  return [{ path: plain(path), type, source: plain(source) }];
}

/** The kernel writes bytes as octal numbers; what is left is UTF-8. */
function plain(field: string): string {
  if (!field.includes('\\')) return field;
  const bytes = Buffer.from(field).toString('latin1');
  return Buffer.from(
    bytes.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
    'latin1',
  ).toString();
}
