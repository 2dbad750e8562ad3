import { type Clock, systemClock } from '../lib/clock.ts';
import { messageOf, SwitchyardError } from '../lib/error.ts';
import { linesOf } from '../lib/exec/lines.ts';
import { printable } from '../lib/printable.ts';
import { type Redact, redactNothing } from '../lib/redact.ts';
import type { Sandbox, SandboxedProcess } from '../ports/sandbox.ts';
import { BoundedOutput, type Output } from './bounded-output.ts';

export interface CommandRequest {
  /** A line for `sh -c`. */
  readonly command: string;
  /** What the line finds in `"$@"`. */
  readonly args?: readonly string[] | undefined;
  readonly folder: string;
  readonly sandbox: Sandbox;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly clock?: Clock | undefined;
  /** Takes out of its output what nobody may read. */
  readonly redact?: Redact | undefined;
  /** Receives the output line by line as it comes, fit to be shown. */
  readonly onOutput?: ((line: string) => void) | undefined;
}

export interface CommandResult {
  readonly end: CommandEnd;
  /** Both streams, line by line as they came, without what a terminal would obey. */
  readonly output: Output;
  readonly durationMs: number;
}

export type CommandEnd =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'signalled'; readonly signal: string }
  | { readonly kind: 'timeout'; readonly afterMs: number }
  | { readonly kind: 'cannot-start'; readonly message: string };

const STOP_GRACE_MS = 1000;
const MAX_LINE = 8 * 1024;
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Runs a command line in the sandbox, to its end or to the timeout; nothing of it is left when this settles. Rejects only with the reason
 * of an aborted signal.
 */
export async function runCommand(request: CommandRequest): Promise<CommandResult> {
  request.signal.throwIfAborted();
  const started = performance.now();
  const collected = new BoundedOutput();
  const end = await endOf(request, collected);
  request.signal.throwIfAborted();
  return { end, output: collected.take(), durationMs: Math.round(performance.now() - started) };
}

async function endOf(request: CommandRequest, collected: BoundedOutput): Promise<CommandEnd> {
  const { command, args = [], folder, sandbox, env, redact = redactNothing, onOutput } = request;
  let spawned: SandboxedProcess;
  try {
    spawned = await sandbox.spawn({ argv: ['sh', '-c', command, 'sh', ...args], cwd: folder, env });
  } catch (error) {
    const hint = error instanceof SwitchyardError ? `. ${error.hint}` : '';
    return { kind: 'cannot-start', message: redact(`${messageOf(error)}${hint}`) };
  }
  await using program = spawned;
  const reading = [program.stdout, program.stderr].map(async (stream) => {
    for await (const { text, cut } of linesOf(stream, MAX_LINE, redact.pieces())) {
      const line = printable(text);
      collected.add(line, cut);
      onOutput?.(line);
    }
  });
  const [end] = await Promise.all([exitOf(program, request), ...reading]);
  return end;
}

async function exitOf(
  program: SandboxedProcess,
  { timeoutMs, signal, clock = systemClock }: CommandRequest,
): Promise<CommandEnd> {
  const ended = new AbortController();
  const late = clock.sleep(Math.min(timeoutMs, MAX_TIMER_MS), AbortSignal.any([ended.signal, signal]));
  const exit = await Promise.race([program.exited, late]);
  ended.abort();
  if (exit === undefined) {
    await program.stop(STOP_GRACE_MS);
    await program.exited;
    return { kind: 'timeout', afterMs: timeoutMs };
  }
  return exit.code === null
    ? { kind: 'signalled', signal: exit.signal ?? 'unknown' }
    : { kind: 'exited', code: exit.code };
}
