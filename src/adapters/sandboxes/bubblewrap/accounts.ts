import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';

export const HOSTNAME = 'workspace';

/** What programs are told is this user's HOME where they do not ask their environment. */
const HOME = '/home/agent';

/** The accounts that programs are told of: root, nobody and this user. */
export function accounts(): { readonly passwd: string; readonly group: string } {
  const { uid, gid, username } = userInfo();
  const own = uid === 0 || uid === NOBODY ? [] : [`${word(username)}:x:${uid}:${gid}::${HOME}:/bin/sh`];
  const passwd = [
    `root:x:0:0:root:${uid === 0 ? HOME : '/root'}:/bin/sh`,
    `nobody:x:${NOBODY}:${NOBODY}:nobody:${uid === NOBODY ? HOME : '/nonexistent'}:/bin/sh`,
    ...own,
  ];
  const ownGroup = gid === 0 || gid === NOBODY ? [] : [`${word(username)}:x:${gid}:`];
  const group = ['root:x:0:', `nogroup:x:${NOBODY}:`, ...ownGroup];
  return { passwd: lines(passwd), group: lines(group) };
}

/** The host's names for addresses, and the name that the machine has for programs. */
export async function hosts(): Promise<string> {
  const known = await readFile('/etc/hosts', 'utf8').catch(() => '127.0.0.1 localhost\n::1 localhost\n');
  return `${known.trimEnd()}\n127.0.0.1 ${HOSTNAME}\n`;
}

const NOBODY = 65534;

function word(name: string): string {
  return /^[\w.-]+$/.test(name) ? name : 'user';
}

function lines(entries: readonly string[]): string {
  return entries.map((entry) => `${entry}\n`).join('');
}
