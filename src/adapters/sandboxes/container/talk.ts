import { constants, openSync } from 'node:fs';
import { chmod, chown, open, writeFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { linesOf } from '../../../lib/exec/lines.ts';
import { runProgram } from '../../../lib/exec/run-program.ts';
import { makeScratchFolder } from '../../../lib/scratch-folder.ts';
import { ENTRY, programScript } from './scripts.ts';

/** How a container and the harness talk: a folder that is mounted in it, with its scripts and three pipes. */
export interface Talk extends AsyncDisposable {
  readonly folder: string;
  /** What the container says first: `up`, `no-program` or `no-folder`. */
  readonly report: Promise<string | undefined>;
  /** Settles when the program has ended, and its container waits for `end`; or never, where it is killed before. */
  readonly ended: Promise<void>;
  /** Lets the program start. */
  go(): Promise<void>;
  /** Lets the container end after its program. */
  end(): Promise<void>;
}

export interface TalkParts {
  /** Absolute; the folder is made in here. */
  readonly within: string;
  /** The program `mkfifo` of this host. */
  readonly mkfifo: string;
  readonly user: { readonly uid: number; readonly gid: number };
  readonly program: { readonly cwd: string; readonly env: Readonly<Record<string, string>> };
}

/**
 * Makes the folder. Nobody but the container's user can read it. The leash cannot be held by anybody else: whoever is within may neither
 * write to it nor change that, so it ends with this process, or when disposed. Disposing removes the folder.
 */
export async function openTalk({ within, mkfifo, user, program }: TalkParts): Promise<Talk> {
  await using undo = new AsyncDisposableStack();
  const scratch = undo.use(await makeScratchFolder(join(within, 'container-')));
  const pathOf = (name: string) => join(scratch.path, name);
  const fifos = { file: mkfifo, args: ['-m', '600', '--', ...PIPES.map(pathOf)], cwd: '/', env: {} };
  const { code, stderr } = await runProgram({ ...fifos, input: undefined, signal: undefined });
  if (code !== 0) throw new Error(`cannot make pipes in ${scratch.path}: ${stderr.trim()}`);
  const scripts = { entry: ENTRY, program: programScript(program) };
  for (const [name, text] of Object.entries(scripts)) await writeFile(pathOf(name), text, { mode: 0o400 });
  // Opening a pipe for both never waits. The socket closes its descriptor itself.
  const both = constants.O_RDWR | constants.O_NONBLOCK;
  const leash = undo.use(await open(pathOf('leash'), both));
  const end = undo.use(await open(pathOf('end'), both));
  const report = new Socket({ fd: openSync(pathOf('report'), both), readable: true, writable: false });
  undo.defer(() => void report.destroy());
  for (const name of ['leash', 'end']) await chmod(pathOf(name), 0o400);
  if (user.uid !== process.geteuid?.()) {
    for (const name of [...PIPES, ...Object.keys(scripts)]) await chown(pathOf(name), user.uid, user.gid);
    // It stays ours, so that whoever looks for what the dead have left finds it.
    await chmod(scratch.path, 0o711);
  }
  const stack = undo.move();
  return {
    folder: scratch.path,
    ...readReports(report),
    go: async () => void (await leash.write('go\n')),
    end: async () => void (await end.write('end\n')),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const PIPES = ['leash', 'end', 'report'];

/** Nothing is read after the two words that are waited for, so that nobody within can fill our memory. */
function readReports(stream: Socket): Pick<Talk, 'report' | 'ended'> {
  const { promise: report, resolve: reported } = Promise.withResolvers<string | undefined>();
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  void (async () => {
    try {
      const lines = linesOf(stream);
      const first = await lines.next();
      reported(first.done === true ? undefined : first.value.text);
      if ((await lines.next()).done !== true) end();
    } finally {
      reported(undefined);
    }
  })().catch(() => undefined);
  return { report, ended };
}
