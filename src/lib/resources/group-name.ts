import { createHash } from 'node:crypto';
import { SwitchyardError } from '../error.ts';
import { isAlive, pidNamespaceOf, processStart } from '../processes.ts';

/** A name for a home among those of one machine, whoever owns them: letters and digits, from the path of its folder. */
export function homeIdOf(folder: string): string {
  return createHash('sha256').update(folder).digest('hex').slice(0, 16);
}

/** The folder of all groups of one home. Throws `resources/bad-home` for what cannot name one. */
export function homeFolderName(homeId: string): string {
  if (/^[A-Za-z0-9_-]{1,64}$/.test(homeId)) return `switchyard-${homeId}`;
  throw new SwitchyardError({
    code: 'resources/bad-home',
    message: `${JSON.stringify(homeId)} cannot name a folder of control groups`,
    hint: 'Letters, digits, dash and underscore only, 64 of them at most.',
  });
}

/** A name for a group of this process. It says whose it is, so that somebody else can tell whether its owner lives. */
export function groupName(unique: string): string {
  return [namespaceNumber(), process.pid, ticksOf(process.pid) ?? '', unique].join('-');
}

/** Whether that group's owner has ended for sure: not if it may be a process that cannot be seen from here, or the name says nothing. */
export function isOwnerDead(name: string): boolean {
  const [, namespace, pid, ticks] = /^(\d+)-(\d+)-(\d+)-/.exec(name) ?? [];
  if (namespace === undefined || namespace !== namespaceNumber()) return false;
  return !isAlive({ pid: Number(pid) }) || ticksOf(Number(pid)) !== ticks;
}

function namespaceNumber(): string {
  return /\d+/.exec(pidNamespaceOf('self') ?? '')?.[0] ?? '';
}

/** When the process started. Which boot that was in does not matter: no group outlives one. */
function ticksOf(pid: number): string | undefined {
  return processStart(pid)?.split(':').at(-1);
}
