import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TempFolder, tempFolder } from '../../testing/temp-repository.ts';
import { begin, DONE, drive, fileWith, HANG, line, TOOL, TOOL_ENDED } from './drive-fixture.ts';

let temp: TempFolder;
beforeAll(async () => {
  temp = await tempFolder();
});
afterAll(async () => temp[Symbol.asyncDispose]());

describe('a turn that ends by itself', () => {
  test('hands on the events in order and is done by its final event', async () => {
    const told = await drive([
      line({ kind: 'session', id: 's1' }),
      line({ kind: 'text', text: 'hi' }),
      TOOL,
      TOOL_ENDED,
      DONE,
    ]);
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
    const { events } = await drive([
      DONE,
      line({ kind: 'text', text: 'more' }),
      DONE,
      line({ kind: 'session', id: 'late' }),
    ]);
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
    expect(first?.kind === 'text' && first.text).toMatch(
      /^0{32768}\n\[… 134464 characters were left out …\]\n0{32767}7$/,
    );
  });

  test('says that a line was too long to be read at all', async () => {
    const { events } = await drive([`printf '{"kind":"text","text":"%06000000d"}\\n' 7`, DONE]);
    expect(events).toMatchObject([
      { kind: 'warning', text: expect.stringContaining('6000025 characters') },
      { kind: 'end' },
    ]);
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
    const { heard, clock, whole } = begin([`cat ${await fileWith(temp.path, 'finished')}`, HANG]);
    await heard('text'); // and the end, which is written together with it
    await clock.advance(10_000);
    expect((await whole).result).toEqual({ kind: 'done' });
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
