import { type ChildProcess, spawn } from 'node:child_process';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import type { ApiClient } from '../api/client.ts';
import { Failure, type Health } from '../api/schemas/server.ts';
import { messageOf, SwitchyardError } from '../lib/error.ts';
import { readLockNote } from '../lib/exclusive-lock.ts';
import { type Home, resolveHome } from '../lib/home.ts';
import { printableLine } from '../lib/printable.ts';
import { pause } from '../lib/wait-until.ts';
import type { CommandContext } from './context.ts';
import { isLost } from './failure.ts';
import { version } from './program.ts';

/** What a daemon ends with when another one holds this home; the other one is then waited for. */
export const HOME_IS_TAKEN = 75;

const LONGEST_START_MS = 120_000;
const LOOK_EVERY_MS = 40;
/** How long the daemon that holds the home is given to answer before it is taken for one that was just going down. */
const TAKEN_PATIENCE_MS = 1500;

/**
 * Makes sure that the daemon of this home answers, and starts one in the background when it does not. Many may do so at once: all
 * resolve, and one daemon runs. Rejects with the daemon's own words when it cannot start.
 */
export async function startDaemon(
  context: CommandContext,
  client: ApiClient,
  options: { testMode: boolean },
): Promise<void> {
  const running = await healthOf(client);
  if (running !== undefined) return sayOtherVersion(context, running);
  const home = resolveHome(context.env);
  await mkdir(home.folder, { recursive: true, mode: 0o700 });
  if (context.stderr.isTTY === true) context.stderr.write('Starting the Switchyard daemon…\n');
  const deadline = performance.now() + LONGEST_START_MS;
  while (performance.now() < deadline) {
    const result = await startOnce(context, client, { home, deadline, testMode: options.testMode });
    if (result === 'answers') return;
    if (await answersWithin(client, TAKEN_PATIENCE_MS)) return;
  }
  const holder = await readLockNote(home.lock);
  throw new SwitchyardError({
    code: 'daemon/unavailable',
    message: `No daemon answers at ${home.socket} after ${LONGEST_START_MS / 1000} seconds${holder === undefined ? '' : `, and process ${holder.pid} holds this home`}.`,
    hint: `Look into ${home.log}; \`switchyard doctor\` examines this machine.`,
  });
}

async function startOnce(
  context: CommandContext,
  client: ApiClient,
  { home, deadline, testMode }: { home: Home; deadline: number; testMode: boolean },
): Promise<'answers' | 'taken'> {
  await using log = await open(home.log, 'a+', 0o600);
  const { size } = await log.stat();
  const child = spawnDaemon(context, { home, log, testMode });
  const ended = endOf(child);
  while (performance.now() < deadline) {
    const end = await Promise.race([ended, pause(LOOK_EVERY_MS)]);
    if (await answers(client)) return 'answers';
    if (end === undefined) continue;
    if (end.code === HOME_IS_TAKEN) return 'taken';
    throw await failedToStart(home, log, { size, end: end.text });
  }
  return 'taken';
}

/** In a session of its own, so that neither Ctrl-C nor the end of the terminal reaches it. */
function spawnDaemon(
  context: CommandContext,
  { home, log, testMode }: { home: Home; log: FileHandle; testMode: boolean },
): ChildProcess {
  const [program, ...args] = context.self;
  const child = spawn(program, [...args, 'server', 'run', '--json', ...(testMode ? ['--test-mode'] : [])], {
    cwd: home.folder,
    env: context.env,
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  });
  child.unref();
  return child;
}

function endOf(child: ChildProcess): Promise<{ code: number | null; text: string }> {
  const { promise, resolve } = Promise.withResolvers<{ code: number | null; text: string }>();
  child.once('error', (error) => resolve({ code: null, text: messageOf(error) }));
  child.once('exit', (code, signal) =>
    resolve({ code, text: code === null ? `signal ${signal ?? 'unknown'}` : `exit code ${code}` }),
  );
  return promise;
}

/** A daemon that gives up logs the error that it died of; a last word that is none is shown as it stands. */
async function failedToStart(
  home: Home,
  log: FileHandle,
  { size, end }: { size: number; end: string },
): Promise<SwitchyardError> {
  const { size: now } = await log.stat();
  const { buffer, bytesRead } = await log.read(Buffer.alloc(Math.min(now - size, 64 * 1024)), {
    position: Math.max(size, now - 64 * 1024),
  });
  const lines = buffer.subarray(0, bytesRead).toString('utf8').trim().split('\n');
  const said = lines.map(failureIn).findLast((failure) => failure !== undefined);
  if (said !== undefined) return new SwitchyardError(said);
  const shown = lines.slice(-15).join('\n');
  return new SwitchyardError({
    code: 'daemon/unavailable',
    message: `The daemon did not start (${end}).${shown === '' ? '' : `\n${shown}`}`,
    hint: `Its whole log is ${home.log}.`,
  });
}

function failureIn(line: string): Failure | undefined {
  try {
    const said = JSON.parse(line) as { err?: unknown };
    return Failure.safeParse(said.err ?? said).data;
  } catch {
    return undefined; // a line of the log like any other
  }
}

async function answersWithin(client: ApiClient, ms: number): Promise<boolean> {
  const deadline = performance.now() + ms;
  while (performance.now() < deadline) {
    if (await answers(client)) return true;
    await pause(LOOK_EVERY_MS);
  }
  return false;
}

async function answers(client: ApiClient): Promise<boolean> {
  return (await healthOf(client)) !== undefined;
}

/** What a daemon answers that will go on to do so; one that is stopping does not count. */
async function healthOf(client: ApiClient): Promise<Health | undefined> {
  try {
    return await client.call('health', {});
  } catch (error) {
    if (isLost(error)) return undefined;
    throw error;
  }
}

/** After an upgrade the old daemon goes on until somebody replaces it: that may be in the middle of agents' work, so it is theirs to say. */
function sayOtherVersion(context: CommandContext, running: Health): void {
  if (running.version === version() || context.stderr.isTTY !== true) return;
  context.stderr.write(
    `The daemon is of version ${printableLine(running.version)}, this command of ${version()}: \`switchyard server restart\` replaces it; agents at work are saved and go on.\n`,
  );
}
