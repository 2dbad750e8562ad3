import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgentEntry } from '../../domain/agent-entry.ts';
import { noCrashPoint } from '../../lib/crash-point.ts';
import type { AgentAdapter, AgentEvent } from '../../ports/agent.ts';
import { agentEventLines } from '../../ports/agent-event-lines.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { plainSandbox } from '../../testing/plain-sandbox.ts';
import { driveTurn } from './drive.ts';
import type { DriveRequest, TurnReport } from './turn.ts';

// Turns of an agent that is a shell script, for the tests of `driveTurn`.

export const SILENCE = 60_000;
/** Lines of such a script. */
export const HANG = 'while :; do sleep 0.01; done';
export const DONE = line({ kind: 'end' });
export const TOOL = line({ kind: 'tool-started', call: '1', name: 'run', input: 'make' });
export const TOOL_ENDED = line({ kind: 'tool-ended', call: '1', output: 'made' });

/** A line of a shell script that writes this event. */
export function line(event: object): string {
  return `printf '%s\\n' '${JSON.stringify(event)}'`;
}

/** A file that says this and then that the turn is over, in one piece. */
export async function fileWith(folder: string, text: string): Promise<string> {
  const file = join(folder, `${text}.jsonl`);
  await writeFile(file, `${JSON.stringify({ kind: 'text', text })}\n${JSON.stringify({ kind: 'end' })}\n`);
  return file;
}

export function agent(script: readonly string[]): AgentAdapter {
  return {
    kind: 'test',
    sessionFiles: [],
    describe: () => 'a shell script',
    command: () => Promise.resolve({ argv: ['sh', '-c', script.join('\n')], env: { PATH: process.env['PATH'] ?? '' } }),
    parser: () => agentEventLines(),
  };
}

function request(script: readonly string[], more: Partial<DriveRequest>): DriveRequest {
  return {
    adapter: agent(script),
    turn: {
      entry: AgentEntry.parse({ kind: 'custom' }),
      prompt: '',
      folder: tmpdir(),
      home: tmpdir(),
      inside: { folder: tmpdir(), home: tmpdir() },
      session: { kind: 'new' },
      run: 'run1',
      node: 'implement',
      step: 1,
      hostEnv: {},
    },
    sandbox: plainSandbox(),
    limits: { silenceMs: SILENCE },
    clock: new ManualClock(),
    signal: new AbortController().signal,
    crashPoint: noCrashPoint,
    onEvent: () => undefined,
    graceMs: 200,
    ...more,
  };
}

export async function drive(
  script: readonly string[],
  more: Partial<DriveRequest> = {},
): Promise<{ events: AgentEvent[]; report: TurnReport }> {
  const events: AgentEvent[] = [];
  const { onEvent } = more;
  const report = await driveTurn(
    request(script, {
      ...more,
      onEvent: (event) => {
        events.push(event);
        return onEvent?.(event);
      },
    }),
  );
  return { events, report };
}

/** A turn to which something happens while it goes on. */
export function begin(script: readonly string[], more: Partial<DriveRequest> = {}) {
  const clock = new ManualClock();
  const events: AgentEvent[] = [];
  const waiting = new Map<string, () => void>();
  const whole = driveTurn(
    request(script, {
      clock,
      onEvent: (event) => {
        events.push(event);
        waiting.get(event.kind)?.();
      },
      ...more,
    }),
  );
  const heard = (kind: AgentEvent['kind']) =>
    new Promise<void>((resolve) => {
      // A turn of the event loop later the event has been dealt with.
      const dealtWith = () => setImmediate(resolve);
      if (events.some((event) => event.kind === kind)) dealtWith();
      else waiting.set(kind, dealtWith);
    });
  return { clock, events, whole, heard };
}
