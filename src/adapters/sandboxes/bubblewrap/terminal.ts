import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { heldToOpenFiles } from '../../../lib/resources/open-files.ts';
import { makeScratchFolder } from '../../../lib/scratch-folder.ts';
import type { TerminalLaunch } from '../../../ports/sandbox.ts';
import { DESCRIPTORS } from './arguments.ts';
import type { Plan } from './plan.ts';

/**
 * A command line that another process of this user starts: a shell opens what bubblewrap reads, removes from the disk what of it is only
 * this program's, and becomes bubblewrap. What is never started lies there until this process ends.
 */
export async function terminalLaunch(shell: string, plan: Plan): Promise<TerminalLaunch> {
  const scratch = await makeScratchFolder(join(plan.files.folder, 'terminal-'));
  await writeFile(join(scratch.path, 'arguments'), plan.arguments, { mode: 0o600 });
  const held = heldToOpenFiles(shell, plan.openFiles, plan.argv({ isHeld: false }));
  return {
    argv: [shell, '-c', OPENED, 'sh', scratch.path, plan.filter ?? '/dev/null', ...held],
    cwd: '/',
    env: {},
    reports: true,
  };
}

const OPENED = `exec ${DESCRIPTORS.arguments}<"$1/arguments" || exit 126
exec ${DESCRIPTORS.filter}<"$2" || exit 126
command -p rm -rf "$1"
shift 2
exec "$@"
`;
