import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { mkdir, open, realpath } from 'node:fs/promises';
import { dirname, resolve, sep } from 'node:path';

// The scripted agent's program. It imports nothing but Node itself, to start as fast as Node does, and takes one step's actions as JSON
// on standard input. It does them in the workspace and writes one event line for each thing that happens.

export type Action =
  | { readonly write: { readonly path: string; readonly text: string } }
  | { readonly run: string }
  | { readonly say: string }
  /** Milliseconds. */
  | { readonly sleep: number }
  | { readonly commit: string }
  | { readonly hang: true }
  | { readonly exit: number };

export interface Play {
  readonly session: string;
  readonly actions: readonly Action[];
  /** Instead of actions: why there are none to do. */
  readonly mistake?: string | undefined;
}

const MAX_OUTPUT = 256 * 1024;
let calls = 0;

// Meant for this program only, not for what the script runs.
delete process.env['NODE_COMPILE_CACHE'];
const play = JSON.parse(await standardInput()) as Play;
await tell({ kind: 'session', id: play.session });
for (const action of play.actions) await perform(action);
if (play.mistake === undefined) await tell({ kind: 'end', result: { kind: 'done' } });
else await fail(play.mistake);

async function perform(action: Action): Promise<void> {
  if ('say' in action) await tell({ kind: 'text', text: action.say });
  else if ('write' in action)
    await asTool('write', action.write.path, () => write(action.write.path, action.write.text));
  else if ('run' in action) await asTool('run', action.run, () => run('sh', ['-c', action.run]));
  else if ('commit' in action) await asTool('commit', action.commit, () => commit(action.commit));
  else if ('sleep' in action) await new Promise((wake) => setTimeout(wake, action.sleep));
  else if ('exit' in action) await leave(action.exit);
  else await new Promise(() => setInterval(() => undefined, 60_000)); // hang: until a signal ends it
}

interface Done {
  readonly output: string;
  readonly ok: boolean;
}

async function asTool(name: string, input: string, work: () => Promise<Done>): Promise<void> {
  const call = String(++calls);
  await tell({ kind: 'tool-started', call, name, input });
  const done = await work().catch((error: unknown): Done => ({ output: String(error), ok: false }));
  await tell({ kind: 'tool-ended', call, name, ...done });
}

/** Writes below the working directory only, and through no link that leads out of it. */
async function write(path: string, text: string): Promise<Done> {
  const root = await realpath('.');
  const file = resolve(root, path);
  const folder = dirname(file);
  if (!isWithin(root, await existingPart(folder))) return { output: `${path} is outside the workspace`, ok: false };
  await mkdir(folder, { recursive: true });
  const { O_CREAT, O_NOFOLLOW, O_TRUNC, O_WRONLY } = constants;
  await using handle = await open(file, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o666);
  await handle.writeFile(text);
  return { output: `wrote ${Buffer.byteLength(text)} bytes`, ok: true };
}

/** Where the nearest folder on the way that exists really lies. */
async function existingPart(folder: string): Promise<string> {
  try {
    return await realpath(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(folder) === folder) throw error;
    return existingPart(dirname(folder));
  }
}

function isWithin(root: string, folder: string): boolean {
  return folder === root || folder.startsWith(`${root}${sep}`);
}

async function commit(message: string): Promise<Done> {
  const added = await run('git', ['add', '-A']);
  if (!added.ok) return added;
  // The name stands on the commit until the harness takes it in under its own.
  const author = ['-c', 'user.name=Scripted agent', '-c', 'user.email=agent@switchyard.invalid'];
  return run('git', [...author, 'commit', '-q', '-m', message]);
}

function run(file: string, args: readonly string[]): Promise<Done> {
  const { promise, resolve, reject } = Promise.withResolvers<Done>();
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const collect = (chunk: Buffer) => {
    if (output.length < MAX_OUTPUT) output += chunk.toString('utf8');
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  child.on('error', reject);
  child.on('exit', (code) => {
    const end = () => resolve({ output: output.slice(0, MAX_OUTPUT), ok: code === 0 });
    // What the command left in the background may hold the output open for ever.
    const tired = setTimeout(() => {
      child.stdout.destroy();
      child.stderr.destroy();
    }, 200);
    child.on('close', () => {
      clearTimeout(tired);
      end();
    });
  });
  return promise;
}

/** A code other than 0 is how a program dies that says nothing more. */
async function leave(code: number): Promise<never> {
  if (code === 0) await tell({ kind: 'end', result: { kind: 'done' } });
  process.exit(code);
}

async function fail(message: string): Promise<void> {
  const hint = 'Add what the step is to do to the script.';
  await tell({ kind: 'end', result: { kind: 'failed', failure: { class: 'bug', message, hint } } });
}

/** Resolves when the line is handed over, so that no exit can lose it. */
function tell(event: object): Promise<void> {
  return new Promise((told) => {
    process.stdout.write(`${JSON.stringify(event)}\n`, () => told());
  });
}

async function standardInput(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
