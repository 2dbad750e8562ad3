import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AgentEntry } from '../../domain/agent-entry.ts';
import { noCrashPoint } from '../../lib/crash-point.ts';
import { isAlive } from '../../lib/processes.ts';
import type { AgentAdapter, AgentEvent } from '../../ports/agent.ts';
import { agentEventLines } from '../../ports/agent-event-lines.ts';
import type { SandboxedProcess } from '../../ports/sandbox.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { plainSandbox } from '../../testing/plain-sandbox.ts';
import { type TempFolder, tempFolder } from '../../testing/temp-repository.ts';
import { driveTurn } from './drive.ts';
import type { DriveRequest, TurnReport } from './turn.ts';

let temp: TempFolder;
beforeAll(async () => {
  temp = await tempFolder();
});
afterAll(async () => temp[Symbol.asyncDispose]());

const HANG = 'while :; do sleep 0.01; done';
const DONE = line({ kind: 'end' });
const TOOL = line({ kind: 'tool-started', call: '1', name: 'run', input: 'make' });
const TOOL_ENDED = line({ kind: 'tool-ended', call: '1', output: 'made' });
const SILENCE = 60_000;

describe('a turn that ends by itself', () => {
  test('hands on the events in order and is done by its final event', async () => {
    const told = await drive([line({ kind: 'session', id: 's1' }), line({ kind: 'text', text: 'hi' }), TOOL, TOOL_ENDED, DONE]);
    expect(told.events.map(({ kind }) => kind)).toEqual(['session', 'text', 'tool-started', 'tool-ended', 'end']);
    expect(told.report).toMatchObject({ result: { kind: 'done' }, session: 's1', turns: 2 });
  });

  test('is done even when the program then exits with an error', async () => {
    expect((await drive([DONE, 'exit 3'])).report.result).toEqual({ kind: 'done' });
  });

  test('has failed without a final event, even when the program exits well', async () => {
    const { report, events } = await drive([line({ kind: 'text', text: 'all done!' }), 'echo oops >&2; exit 0']);
    expect(report.result).toMatchObject({ kind: 'failed', failure: { message: expect.stringContaining('oops') } });
    expect(events.at(-1)).toMatchObject({ kind: 'end', result: { kind: 'failed' } });
  });

  test('counts nothing that comes after the final event', async () => {
    const { events } = await drive([DONE, line({ kind: 'text', text: 'more' }), DONE, line({ kind: 'session', id: 'late' })]);
    expect(events).toEqual([{ kind: 'end', result: { kind: 'done' } }]);
  });

  test('adds up usage', async () => {
    const usage = line({ kind: 'usage', usage: { input: 10, output: 2, cost: 0.5 } });
    const { report } = await drive([usage, usage, DONE]);
    expect(report.usage).toEqual({ input: 20, output: 4, cached: 0, reasoning: 0, cost: 1 });
  });

  test('keeps what the agent said after its last tool', async () => {
    const says = ['a', 'b'].map((text) => line({ kind: 'text', text }));
    const { report } = await drive([line({ kind: 'text', text: 'before' }), TOOL, TOOL_ENDED, ...says, DONE]);
    expect(report.text).toBe('a\nb');
  });

  test('reads a last line without an end', async () => {
    const { report } = await drive([`printf %s '{"kind":"text","text":"half"}'`]);
    expect(report.text).toBe('half');
  });

  test('is not disturbed by noise and half an event at the end', async () => {
    const { events, report } = await drive(['echo Loading...; echo "{ not json"', DONE, `printf '{"kind":"te'`]);
    expect(events.map(({ kind }) => kind)).toEqual(['end']);
    expect(report.result.kind).toBe('done');
  });

  test('shortens what is too long to keep', async () => {
    const { events } = await drive([`printf '{"kind":"text","text":"%0200000d"}\\n' 7`, DONE]);
    const [first] = events;
    expect(first?.kind === 'text' && first.text).toMatch(/^0{32768}\n\[… 134464 characters were left out …\]\n0{32767}7$/);
  });

  test('says that a line was too long to be read at all', async () => {
    const { events } = await drive([`printf '{"kind":"text","text":"%06000000d"}\\n' 7`, DONE]);
    expect(events).toMatchObject([{ kind: 'warning', text: expect.stringContaining('6000025 characters') }, { kind: 'end' }]);
  });

  test('reads no faster than the events are taken', async () => {
    let open = 0;
    let most = 0;
    const says = Array.from({ length: 50 }, (_, number) => line({ kind: 'text', text: String(number) }));
    const { report } = await drive([...says, DONE], {
      onEvent: async () => {
        most = Math.max(most, ++open);
        await new Promise((resolve) => setImmediate(resolve));
        open--;
      },
    });
    expect(most).toBe(1);
    expect(report.text.split('\n')).toHaveLength(50);
  });

  test('is over when a program does not end after its final event', async () => {
    const { started, clock, whole } = begin([DONE, HANG], { limits: { silenceMs: 1e12 } });
    await started;
    // Until the final event was read nothing lingers, so the time is moved until it counts.
    const moving = moveUntil(clock, whole);
    expect((await whole).result).toEqual({ kind: 'done' });
    await moving;
  });
});

describe('a turn that is interrupted', () => {
  test('has stalled when nothing came for too long', async () => {
    const { heard, clock, whole, events } = begin([line({ kind: 'text', text: 'hm' }), HANG]);
    await heard('text');
    await clock.advance(SILENCE);
    expect((await whole).result).toEqual({ kind: 'stalled', silentMs: SILENCE });
    expect(events.map(({ kind }) => kind)).toEqual(['text']);
  });

  test('has not stalled a moment before', async () => {
    const go = join(temp.path, 'go-on');
    const { heard, clock, whole } = begin([line({ kind: 'text', text: 'hm' }), `until [ -e ${go} ]; do sleep 0.01; done`, DONE]);
    await heard('text');
    await clock.advance(SILENCE - 1);
    await writeFile(go, '');
    expect((await whole).result).toEqual({ kind: 'done' });
  });

  test('has not stalled while a tool runs, but does when it has ended', async () => {
    const go = join(temp.path, 'tool-may-end');
    const { heard, clock, whole, events } = begin([TOOL, `until [ -e ${go} ]; do sleep 0.01; done`, TOOL_ENDED, HANG]);
    await heard('tool-started');
    await clock.advance(100 * SILENCE);
    await writeFile(go, '');
    await heard('tool-ended');
    await clock.advance(2 * SILENCE);
    expect((await whole).result).toMatchObject({ kind: 'stalled' });
    expect(events.map(({ kind }) => kind)).toEqual(['tool-started', 'tool-ended']);
  });

  test('does not count the time that taking an event needs as silence', async () => {
    const clock = new ManualClock();
    const { report } = await drive([line({ kind: 'text', text: 'x' }), DONE], { clock, onEvent: () => clock.advance(10 * SILENCE) });
    expect(report.result).toEqual({ kind: 'done' });
  });

  test('does not count the time that the machine slept as silence', async () => {
    const go = join(temp.path, 'awake');
    const { heard, clock, whole } = begin([line({ kind: 'text', text: 'x' }), `until [ -e ${go} ]; do sleep 0.01; done`, DONE]);
    await heard('text');
    await clock.oversleep(100 * SILENCE);
    await writeFile(go, '');
    expect((await whole).result).toEqual({ kind: 'done' });
  });

  test('has no time left, even while a tool runs', async () => {
    const { heard, clock, whole } = begin([TOOL, HANG], { limits: { silenceMs: SILENCE, wallMs: 5000 } });
    await heard('tool-started');
    await clock.advance(5000);
    expect((await whole).result).toEqual({ kind: 'timeout' });
  });

  test('is cancelled', async () => {
    const controller = new AbortController();
    const { heard, whole } = begin([TOOL, HANG], { signal: controller.signal });
    await heard('tool-started');
    controller.abort();
    expect((await whole).result).toEqual({ kind: 'cancelled' });
  });

  test('is cancelled before anything is started', async () => {
    const sandbox = plainSandbox();
    const { report } = await drive([DONE], { sandbox, signal: AbortSignal.abort() });
    expect(report.result).toEqual({ kind: 'cancelled' });
    expect(sandbox.started).toEqual([]);
  });

  test('gets SIGINT first, and what it still says is heard, but not believed', async () => {
    const controller = new AbortController();
    const { heard, whole, events } = begin([`trap 'cat ${await fileWith('bye')}; exit 0' INT`, TOOL, HANG], {
      signal: controller.signal,
    });
    await heard('tool-started');
    controller.abort();
    expect((await whole).result).toEqual({ kind: 'cancelled' });
    expect(events.map(({ kind }) => kind)).toEqual(['tool-started', 'text']);
  });

  test('has had as many turns as it may', async () => {
    const tools = [1, 2, 3].map((call) => line({ kind: 'tool-started', call: String(call), name: 'run' }));
    const { report } = await drive([...tools, HANG], { limits: { silenceMs: SILENCE, turns: { used: 5, max: 7 } } });
    expect(report.result).toEqual({ kind: 'limit', limit: 'turns', used: 8, max: 7 });
  });

  test('is not interrupted by a limit that it just keeps', async () => {
    const tools = [1, 2].map((call) => line({ kind: 'tool-started', call: String(call), name: 'run' }));
    const { report } = await drive([...tools, DONE], { limits: { silenceMs: SILENCE, turns: { used: 0, max: 2 } } });
    expect(report).toMatchObject({ result: { kind: 'done' }, turns: 3 });
  });

  test.each([
    ['tokens', { tokens: { used: 90, max: 100 } }, 102],
    ['cost', { cost: { used: 1, max: 1.5 } }, 1.5],
  ])('has used up its %s', async (limit, more, used) => {
    const usage = line({ kind: 'usage', usage: { input: 10, output: 2, cost: 0.5 } });
    const { report } = await drive([usage, HANG], { limits: { silenceMs: SILENCE, ...more } });
    expect(report.result).toMatchObject({ kind: 'limit', limit, used });
  });

  test('rejects with what the listener throws, and leaves nothing running', async () => {
    let process: SandboxedProcess | undefined;
    const failing = drive([TOOL, HANG], {
      onSpawned: (spawned) => {
        process = spawned;
      },
      onEvent: () => Promise.reject(new Error('disk full')),
    });
    await expect(failing).rejects.toThrow('disk full');
    expect(isAlive({ pid: process?.pid ?? 0 })).toBe(false);
  });

  test('rejects when the process cannot be remembered, and leaves nothing running', async () => {
    let pid = 0;
    const failing = drive([HANG], {
      onSpawned: (spawned) => {
        pid = spawned.pid;
        throw new Error('database gone');
      },
    });
    await expect(failing).rejects.toThrow('database gone');
    expect(isAlive({ pid })).toBe(false);
  });

  test('rejects when the program cannot be started', async () => {
    const missing: AgentAdapter = { ...agent([]), command: () => Promise.resolve({ argv: ['/no/such/agent'], env: {} }) };
    await expect(drive([], { adapter: missing })).rejects.toMatchObject({ code: 'sandbox/cannot-start' });
  });
});

test('passes the crash points of a turn in order', async () => {
  const passed: string[] = [];
  await drive([line({ kind: 'session', id: 's' }), TOOL, DONE], {
    crashPoint: async (name) => void passed.push(name),
    onSpawned: () => void passed.push('spawned'),
    onEvent: ({ kind }) => void passed.push(kind),
  });
  const around = (effect: string, ...inner: string[]) => [`${effect}.before`, ...inner, `${effect}.after`];
  expect(passed).toEqual([
    ...around('agent-spawn', 'spawned'),
    ...around('session-id', 'session'),
    'tool-started',
    ...around('agent-end', 'end'),
  ]);
});

/** A line of a shell script that writes this event. */
function line(event: object): string {
  return `printf '%s\\n' '${JSON.stringify(event)}'`;
}

async function fileWith(text: string): Promise<string> {
  const file = join(temp.path, `${text}.jsonl`);
  await writeFile(file, `${JSON.stringify({ kind: 'text', text })}\n${JSON.stringify({ kind: 'end' })}\n`);
  return file;
}

function agent(script: readonly string[]): AgentAdapter {
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
      ...{ entry: AgentEntry.parse({ kind: 'custom' }), prompt: '', folder: temp.path, home: temp.path, hostEnv: {} },
      ...{ session: { kind: 'new' }, run: 'run1', node: 'implement', step: 1 },
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

async function drive(
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
function begin(script: readonly string[], more: Partial<DriveRequest> = {}) {
  const clock = new ManualClock();
  const events: AgentEvent[] = [];
  const waiting = new Map<string, () => void>();
  const { promise: started, resolve: spawned } = Promise.withResolvers<void>();
  const whole = driveTurn(
    request(script, {
      clock,
      onSpawned: () => spawned(),
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
  return { clock, events, whole, started, heard };
}

async function moveUntil(clock: ManualClock, end: Promise<unknown>): Promise<void> {
  let isOver = false;
  void end.then(() => {
    isOver = true;
  });
  while (!isOver) {
    await clock.advance(1000);
  }
}
