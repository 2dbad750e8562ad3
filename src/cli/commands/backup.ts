import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { counted } from '../../lib/counted.ts';
import { printable, printableLine } from '../../lib/printable.ts';
import { connect, findServer } from '../connect.ts';
import type { CommandContext } from '../context.ts';
import { print } from '../print.ts';
import { bytesText } from '../render/bytes.ts';
import { usageError } from '../usage-error.ts';

interface Common {
  readonly json?: boolean;
  readonly server?: string;
}

/** One file with everything that cannot be made again, while runs go on. */
export async function serverBackup(
  context: CommandContext,
  options: Common & { readonly path: string },
): Promise<number> {
  const { address } = findServer(context, options.server);
  if ('url' in address) throw usageError('A backup is taken on the machine of the server.', 'Log in there first.');
  await connect(context, options);
  const { backUpHome } = await import('../../daemon/backup.ts');
  using work = copying(context, options);
  const report = await backUpHome(work, { server: address, target: resolve(context.cwd, options.path) });
  const { file, bytes, manifest, notes } = report;
  const value = { schema: 1 as const, file, bytes, notes, manifest };
  return print(context, options, value, () => [
    `Backed up to ${printableLine(file)} (${bytesText(bytes)}) and read back.`,
    `  ${counted(manifest.rows['run'] ?? 0, 'run')}, ${counted(manifest.repositories.length, 'repository', 'repositories')}, at ${manifest.at}`,
    ...notes.map((note) => printable(note)),
    'What agents have done since their last checkpoint is not in it, nor are keys and programs that config.yaml names by path.',
  ]);
}

/** Makes this home out of a backup. */
export async function serverRestore(
  context: CommandContext,
  options: Common & { readonly file: string; readonly replace?: boolean },
): Promise<number> {
  const file = resolve(context.cwd, options.file);
  await access(file, constants.R_OK).catch(() => {
    throw usageError(
      `There is no file ${file} that can be read.`,
      'Give the path of what `switchyard server backup` has written.',
    );
  });
  const { restoreHome } = await import('../../daemon/backup.ts');
  using work = copying(context, options);
  const report = await restoreHome(work, { file, replace: options.replace ?? false });
  return print(context, options, { schema: 1 as const, ...report }, ({ home, manifest, aside, notes }) => [
    `${printableLine(home)} is as it was at ${manifest.at}: ${counted(manifest.rows['run'] ?? 0, 'run')}.`,
    ...aside.map((name) => `  What was there before is ${printableLine(name)} now.`),
    ...notes.map((note) => printable(note)),
    'Runs that were at work go on with `switchyard server up`.',
  ]);
}

/** Progress for whoever watches, and an abort for whoever has enough of it. */
function copying(context: CommandContext, options: Common) {
  const { env, stderr } = context;
  const over = new AbortController();
  const interrupts = context.onInterrupt(() => over.abort(usageError('Interrupted.', 'Nothing was changed.')));
  const isWatched = stderr.isTTY === true && options.json !== true;
  return {
    env,
    now: new Date(context.clock.now()),
    signal: over.signal,
    progress: (line: string) => void (isWatched && stderr.write(`${printableLine(line)}…\n`)),
    [Symbol.dispose]: () => interrupts[Symbol.dispose](),
  };
}
