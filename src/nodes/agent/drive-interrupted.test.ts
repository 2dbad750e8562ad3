import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isAlive } from '../../lib/processes.ts';
import { waitUntil } from '../../lib/wait-until.ts';
import type { AgentAdapter } from '../../ports/agent.ts';
import type { SandboxedProcess } from '../../ports/sandbox.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { plainSandbox } from '../../testing/plain-sandbox.ts';
import { type TempFolder, tempFolder } from '../../testing/temp-repository.ts';
import { agent, begin, DONE, drive, fileWith, HANG, line, SILENCE, TOOL, TOOL_ENDED } from './drive-fixture.ts';
import { ProgressWatch } from './progress-watch.ts';

let temp: TempFolder;
beforeAll(async () => {
  temp = await tempFolder();
});
afterAll(async () => temp[Symbol.asyncDispose]());

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
    const { heard, clock, whole } = begin([
      line({ kind: 'text', text: 'hm' }),
      `until [ -e ${go} ]; do sleep 0.01; done`,
      DONE,
    ]);
    await heard('text');
    await clock.advance(SILENCE - 1);
    await writeFile(go, '');
    expect((await whole).result).toEqual({ kind: 'done' });
  });

  test('is over when it goes round in circles, with what was done in between told in full', async () => {
    const progress = new ProgressWatch({ repeats: 3, now: () => 0, state: async () => 'as before' });
    const { report, events } = await drive([TOOL, TOOL_ENDED, TOOL, TOOL_ENDED, TOOL, TOOL_ENDED, HANG], { progress });
    expect(report.result).toMatchObject({ kind: 'no-progress', loop: { calls: ['run `make`'], times: 3 } });
    expect(events).toHaveLength(6);
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

  test('has stalled when all that comes are warnings', async () => {
    const go = join(temp.path, 'warn');
    const again = line({ kind: 'warning', text: 'trying again' });
    const { heard, clock, whole } = begin([
      line({ kind: 'text', text: 'hm' }),
      `until [ -e ${go} ]; do sleep 0.01; done`,
      again,
      HANG,
    ]);
    await heard('text');
    await clock.advance(SILENCE - 1);
    await writeFile(go, '');
    await heard('warning');
    await clock.advance(1);
    expect((await whole).result).toEqual({ kind: 'stalled', silentMs: SILENCE });
  });

  test('has stalled when nothing but noise comes for three times as long', async () => {
    const folder = join(temp.path, 'noise');
    await mkdir(folder);
    // The warning after it, which is no sign of life, tells that the noise has been read.
    const noise = (number: number) =>
      `until [ -e ${folder}/${number} ]; do sleep 0.01; done; echo keep-alive; ${line({ kind: 'warning', text: 'hm' })}`;
    const { heard, clock, whole, events } = begin([
      line({ kind: 'text', text: 'hm' }),
      noise(1),
      noise(2),
      noise(3),
      HANG,
    ]);
    await heard('text');
    for (const number of [1, 2, 3]) {
      await clock.advance(SILENCE - 1);
      await writeFile(join(folder, String(number)), '');
      await waitUntil(() => events.length === number + 1, { timeoutMs: 20_000, what: 'the noise to be read' });
    }
    await clock.advance(3);
    expect((await whole).result).toEqual({ kind: 'stalled', silentMs: 3 * SILENCE });
  });

  test('does not count the time that taking an event needs as silence', async () => {
    const clock = new ManualClock();
    const { report } = await drive([line({ kind: 'text', text: 'x' }), DONE], {
      clock,
      onEvent: () => clock.advance(10 * SILENCE),
    });
    expect(report.result).toEqual({ kind: 'done' });
  });

  test('does not count the time that the machine slept as silence', async () => {
    const [later, last] = [join(temp.path, 'later'), join(temp.path, 'last')];
    const wait = (file: string) => `until [ -e ${file} ]; do sleep 0.01; done`;
    const script = [line({ kind: 'text', text: 'x' }), wait(later), TOOL, TOOL_ENDED, wait(last), DONE];
    const { heard, clock, whole } = begin(script);
    await heard('text');
    await clock.advance(SILENCE - 10);
    await writeFile(later, '');
    await heard('tool-ended');
    await clock.oversleep(100 * SILENCE);
    await clock.advance(SILENCE / 2);
    await writeFile(last, '');
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
    const { heard, whole, events } = begin([`trap 'cat ${await fileWith(temp.path, 'bye')}; exit 0' INT`, TOOL, HANG], {
      signal: controller.signal,
      graceMs: 30_000,
    });
    await heard('tool-started');
    controller.abort();
    expect((await whole).result).toEqual({ kind: 'cancelled' });
    expect(events.map(({ kind }) => kind)).toEqual(['tool-started', 'text']);
  });

  test('has had as many turns as it may', async () => {
    const tools = [1, 2, 3].map((call) => line({ kind: 'tool-started', call: String(call), name: 'run' }));
    const { report } = await drive([...tools, HANG], { limits: { silenceMs: SILENCE, turns: { used: 5, max: 7 } } });
    expect(report.result).toMatchObject({ kind: 'limit', limit: 'turns', used: 8, max: 7 });
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
    const missing: AgentAdapter = {
      ...agent([]),
      command: () => Promise.resolve({ argv: ['/no/such/agent'], env: {} }),
    };
    await expect(drive([], { adapter: missing })).rejects.toMatchObject({ code: 'sandbox/cannot-start' });
  });
});
