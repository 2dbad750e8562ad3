import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Service } from '../../domain/service.ts';
import { keepTail, type Tail } from '../../lib/exec/tail.ts';
import { waitUntil } from '../../lib/wait-until.ts';
import type { Bridge, Exit, Sandbox, SandboxedProcess } from '../../ports/sandbox.ts';
import { answers, claimPort } from './loopback-ports.ts';
import { hasEnded, isNotReady } from './service-error.ts';
import { openWayIn, type WayIn } from './way-in.ts';

/** Where a service's own walls lead to the harness; no service may listen there. */
export const HARNESS_PORT = 64_973;

export interface ServicePlace {
  /** Walls for programs of the run that find these ports besides. */
  readonly sandboxWith: (bridges: readonly Bridge[]) => Sandbox;
  /** Whether those walls have a loopback of their own; else it is the machine's. */
  readonly ownLoopback: boolean;
  /** The checkout. */
  readonly folder: string;
  /** The whole environment of its commands. */
  readonly env: Readonly<Record<string, string>>;
  /** An existing folder for sockets, with a short path, that is this user's alone and that no walls show. */
  readonly sockets: string;
}

export interface RunningService extends AsyncDisposable {
  readonly service: Service;
  /** How programs in other walls find it; none where the loopback is the machine's. */
  readonly bridges: readonly Bridge[];
  /** Settles when it has ended, asked for or not, with what it printed last. */
  readonly ended: Promise<{ readonly exit: Exit; readonly output: string }>;
}

/**
 * Starts a service and waits until it can be used; `earlier` ports are those of the services that it may use itself. Disposing
 * ends it and all that it started. Rejects with `service/…`, or with the signal's reason; nothing of it is left then.
 */
export async function startService(
  place: ServicePlace,
  { service, earlier, signal }: { service: Service; earlier: readonly Bridge[]; signal: AbortSignal },
): Promise<RunningService> {
  signal.throwIfAborted();
  await using stack = new AsyncDisposableStack();
  let way: WayIn | undefined;
  if (place.ownLoopback) way = stack.use(await openWayIn(join(place.sockets, service.name)));
  else stack.use(await claimPort(service));
  const inward = way === undefined ? [] : [{ port: HARNESS_PORT, socket: way.offers }];
  const running = await place.sandboxWith([...earlier, ...inward]).spawn({
    argv: way === undefined ? ['sh', '-c', `exec 2>&1; ${service.run}`] : withAnswer(service),
    cwd: folderOf(place, service),
    env: place.env,
    reads: way === undefined ? [] : [process.execPath, ANSWER],
  });
  stack.defer(() => end(running, service));
  running.stderr.resume();
  const tail = keepTail(running.stdout);
  const ended = running.exited.then((exit) => ({ exit, output: tail.text() }));
  const bridges = way === undefined ? [] : [{ port: service.port, socket: way.clients }];
  await isReady(place, { service, way, tail, ended, bridges: [...earlier, ...bridges], signal });
  const owned = stack.move();
  return { service, bridges, ended, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

const ANSWER = fileURLToPath(
  new URL(`answer${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url),
);

/** The service in place of the shell, with the program beside it that lets others come to it. */
function withAnswer({ name, run, port }: Service): [string, ...string[]] {
  const text = 'NODE_OPTIONS= "$2" "$3" "$4" "$5" </dev/null >/dev/null 2>&1 & exec sh -c "exec 2>&1; $1"';
  return ['sh', '-c', text, name, run, process.execPath, ANSWER, String(HARNESS_PORT), String(port)];
}

function folderOf({ folder }: ServicePlace, { path }: Service): string {
  return path === undefined ? folder : join(folder, path);
}

async function end(running: SandboxedProcess, { stopMs }: Service): Promise<void> {
  await running.stop(stopMs);
  await running[Symbol.asyncDispose]();
}

interface Waiting {
  readonly service: Service;
  readonly way: WayIn | undefined;
  readonly tail: Tail;
  readonly ended: RunningService['ended'];
  readonly bridges: readonly Bridge[];
  readonly signal: AbortSignal;
}

/** How long a single `ready` command may take. */
const PROBE_MS = 15_000;

async function isReady(place: ServicePlace, waiting: Waiting): Promise<void> {
  const { service, way, tail, ended, bridges, signal } = waiting;
  const over = new AbortController();
  const late = AbortSignal.timeout(service.timeoutMs);
  const stop = AbortSignal.any([signal, late, over.signal]);
  let said: string | undefined;
  const ready = async (): Promise<void> => {
    if (way !== undefined) await Promise.race([way.answered, aborted(stop)]);
    else await waitUntil(() => answers(service.port), { timeoutMs: service.timeoutMs, everyMs: 25, signal: stop });
    const { ready: command } = service;
    if (command === undefined) return;
    const probe = async () => {
      said = (await saysNo(place, { service, command, bridges, signal: stop })) ?? '';
      return said === '';
    };
    await waitUntil(probe, { timeoutMs: service.timeoutMs, everyMs: 100, signal: stop });
  };
  const early = ended.then(({ exit, output }) => Promise.reject(hasEnded(service, exit, output)));
  try {
    await Promise.race([ready(), early]);
  } catch (error) {
    signal.throwIfAborted();
    if (late.aborted || isTimeout(error)) throw isNotReady(service, said, tail.text());
    throw error;
  } finally {
    over.abort();
    early.catch(() => undefined);
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'wait/timeout';
}

/** What the `ready` command says where it does not succeed; it runs as a program of the run does. */
async function saysNo(
  place: ServicePlace,
  ask: { service: Service; command: string; bridges: readonly Bridge[]; signal: AbortSignal },
): Promise<string | undefined> {
  ask.signal.throwIfAborted();
  await using probe = await place.sandboxWith(ask.bridges).spawn({
    argv: ['sh', '-c', `exec 2>&1; ${ask.command}`],
    cwd: folderOf(place, ask.service),
    env: place.env,
  });
  probe.stderr.resume();
  const output = keepTail(probe.stdout, 1000);
  const stop = AbortSignal.any([ask.signal, AbortSignal.timeout(PROBE_MS)]);
  const kill = (): void => void probe.stop(0).catch(() => undefined);
  stop.addEventListener('abort', kill, { once: true });
  if (stop.aborted) kill();
  const exit = await probe.exited;
  stop.removeEventListener('abort', kill);
  ask.signal.throwIfAborted();
  if (exit.code === 0) return undefined;
  return output.text().trim() || `it ended with ${exit.code ?? exit.signal}`;
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const give = () => reject(signal.reason as Error);
    signal.addEventListener('abort', give, { once: true });
    if (signal.aborted) give();
  });
}
