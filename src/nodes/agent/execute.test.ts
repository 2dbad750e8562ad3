import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { waitUntil } from '../../lib/wait-until.ts';
import { StepAborted, type StepResult } from '../../ports/node.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { type TempFolder, tempFolder } from '../../testing/temp-repository.ts';
import { type Step, type StepRequest, step } from './conversation-fixture.ts';
import { DONE, HANG, line } from './drive-fixture.ts';
import { execute } from './execute.ts';

let temp: TempFolder;
let clock: ManualClock;
beforeEach(async () => {
  temp = await tempFolder();
  clock = new ManualClock();
});
afterEach(async () => temp[Symbol.asyncDispose]());

const SESSION = line({ kind: 'session', id: 's1' });
const WORK = 'echo work >> work';
const failed = (failureClass: string, message = 'it failed') =>
  line({ kind: 'end', result: { kind: 'failed', failure: { class: failureClass, message, hint: 'Do this.' } } });

const begin = (request: Omit<StepRequest, 'folder' | 'clock'>) => step({ folder: temp.path, clock, ...request });

/** The step's result, while the clock is moved on whenever the harness waits. */
async function ending(made: Step): Promise<StepResult> {
  let result: StepResult | undefined;
  const whole = execute(made.context).then((value) => {
    result = value;
  });
  await waitUntil(
    async () => {
      await clock.advance(1000);
      return result !== undefined;
    },
    { timeoutMs: 30_000, everyMs: 1, what: 'the step to end' },
  );
  await whole;
  if (result === undefined) throw new Error('the step has no result');
  return result;
}

describe('a turn that failed', () => {
  test('is tried again in its session after a pause, which the journal tells', async () => {
    const made = await begin({
      scripts: [
        [SESSION, failed('rate-limit', 'status 429')],
        [WORK, DONE],
      ],
    });
    const result = await ending(made);
    expect(result).toMatchObject({ outcome: 'done' });
    expect(made.said).toEqual(['sh: rate-limited (status 429); trying again in 15s (2 of 3)']);
    expect(made.turns.map(({ session }) => session)).toEqual([{ kind: 'new' }, { kind: 'resume', id: 's1' }]);
    expect(made.turns[1]?.prompt).toMatch(/^Your last turn was cut off .*\n\n# Fix it\n/s);
    expect(clock.now()).toBeGreaterThanOrEqual(15_000);
  });

  test('begins anew where there is no session yet', async () => {
    const made = await begin({ scripts: [[failed('network')], [WORK, DONE]] });
    expect(await ending(made)).toMatchObject({ outcome: 'done' });
    const [first, second] = made.turns;
    expect(second?.session).toEqual({ kind: 'new' });
    expect(second?.prompt).toBe(first?.prompt);
  });

  test('parks after three tries in a row, with what a person can do', async () => {
    const made = await begin({ scripts: [[SESSION, failed('network', 'no route')]] });
    expect(await ending(made)).toEqual({
      kind: 'outcome',
      outcome: 'error',
      outputs: { summary: '', report: null },
      detail: 'no route. It was tried again 2 times, in vain. Do this.',
      park: { code: 'agent/network', needs: 'error' },
    });
    expect(made.turns).toHaveLength(3);
  });

  test('has three tries again once a turn came to use a tool', async () => {
    const works = [
      SESSION,
      line({ kind: 'tool-started', call: '1', name: 'run', input: 'make' }),
      line({ kind: 'tool-ended', call: '1', output: 'made' }),
      failed('network'),
    ];
    const fails = [SESSION, failed('network')];
    const made = await begin({ scripts: [fails, fails, works, fails, [WORK, DONE]] });
    expect(await ending(made)).toMatchObject({ outcome: 'done' });
    expect(made.said.map((text) => text.slice(-8))).toEqual(['(2 of 3)', '(3 of 3)', '(2 of 3)', '(3 of 3)']);
  });

  test.each(['auth', 'quota', 'refused', 'unknown'])(
    'is not tried again when it failed with %s',
    async (failureClass) => {
      const made = await begin({ scripts: [[SESSION, failed(failureClass)]] });
      expect(await ending(made)).toMatchObject({
        outcome: 'error',
        detail: 'it failed. Do this.',
        park: { code: `agent/${failureClass}`, needs: 'error' },
      });
      expect(made.turns).toHaveLength(1);
    },
  );

  test('is left to a person when the server asks for more time than a step waits', async () => {
    const made = await begin({ scripts: [[SESSION, failed('rate-limit', 'try again in 3 hours')]] });
    expect(await ending(made)).toMatchObject({
      detail: 'try again in 3 hours. The server asks to wait for 3h: retry then. Do this.',
    });
  });

  test('is not tried again once the step is stopped, and what it did is kept', async () => {
    const controller = new AbortController();
    const made = await begin({ scripts: [[SESSION, WORK, failed('network')]], signal: controller.signal });
    const whole = execute(made.context);
    await waitUntil(() => made.said.length === 1, { timeoutMs: 20_000, what: 'the pause' });
    const before = made.context.run.head;
    controller.abort(new StepAborted('wall'));
    await expect(whole).rejects.toThrow('wall');
    expect((await made.context.workspace()).head).not.toBe(before);
    expect(made.turns).toHaveLength(1);
  });
});

describe('a silent turn', () => {
  test('goes on once more in its session, and parks when that falls silent, too', async () => {
    const made = await begin({ scripts: [[SESSION, HANG]] });
    expect(await ending(made)).toMatchObject({
      outcome: 'stalled',
      detail: expect.stringContaining('for the second time in this step'),
      park: { code: 'limit/silence', needs: 'limit' },
    });
    expect(made.turns.map(({ session }) => session.kind)).toEqual(['new', 'resume']);
    expect(made.said).toEqual([expect.stringMatching(/^sh: silent for 1m.*goes on once more \(2 of 2\)$/)]);
  });

  test.each<[string, Partial<StepRequest>, string[]]>([
    ['there is no session', {}, [HANG]],
    ['the blueprint says what then', { stalled: 'ask' }, [SESSION, HANG]],
  ])('is the end of the step when %s', async (_, more, script) => {
    const made = await begin({ scripts: [script], ...more });
    expect(await ending(made)).toMatchObject({ outcome: 'stalled' });
    expect(made.turns).toHaveLength(1);
  });
});

describe('done-when', () => {
  const checks = [{ name: 'good', kind: 'test', run: `test -e good || { echo "a.ts:1:1: error: no good"; exit 1; }` }];
  const fields = { 'done-when': 'test' };

  test('tells the agent what its checks say, in its session, until they pass', async () => {
    const made = await begin({
      scripts: [
        [SESSION, WORK, DONE],
        ['touch good', DONE],
      ],
      checks,
      fields,
    });
    expect(await ending(made)).toMatchObject({
      outcome: 'done',
      outputs: { report: expect.stringMatching(/^good: passed/) },
    });
    expect(made.turns.map(({ session }) => session)).toEqual([{ kind: 'new' }, { kind: 'resume', id: 's1' }]);
    expect(made.turns[1]?.prompt).toContain('a.ts:1:1  no good');
    expect(made.said).toContain('good failed after sh had finished; it is told (round 1 of 3).');
    expect(made.saved).toEqual([1]);
  });

  test('is exhausted after its rounds, with the report', async () => {
    const rounds = { 'done-when': { checks: ['good'], max: 2 } };
    const made = await begin({ scripts: [[SESSION, WORK, DONE]], checks, fields: rounds });
    expect(await ending(made)).toMatchObject({
      outcome: 'exhausted',
      outputs: { report: expect.stringContaining('no good') },
      detail: expect.stringContaining('good still fails after 2 rounds of mending'),
      park: { code: 'limit/done-when', needs: 'limit' },
    });
    expect(made.turns).toHaveLength(3);
  });

  test('is no progress when the agent changes nothing to mend it', async () => {
    const made = await begin({ scripts: [[SESSION, WORK, DONE], [DONE]], checks, fields });
    expect(await ending(made)).toMatchObject({
      outcome: 'stalled',
      detail: expect.stringMatching(/^good failed again on the very same commit/),
      park: { code: 'agent/no-progress', needs: 'limit' },
    });
    expect(made.turns).toHaveLength(2);
  });

  test('is no progress when the agent takes back what it changed', async () => {
    const made = await begin({
      scripts: [
        [SESSION, 'echo a > f', DONE],
        ['echo b > f', DONE],
        ['echo a > f', DONE],
      ],
      checks,
      fields,
    });
    expect(await ending(made)).toMatchObject({ outcome: 'stalled', park: { code: 'agent/no-progress' } });
    expect(made.turns).toHaveLength(3);
  });

  test('does not look at work that is none', async () => {
    const made = await begin({ scripts: [[SESSION, DONE]], checks, fields });
    expect(await ending(made)).toMatchObject({ outcome: 'unchanged' });
    expect(made.turns).toHaveLength(1);
  });

  test('is an error when a check could not run', async () => {
    const broken = [{ name: 'good', kind: 'test', run: 'no-such-program-anywhere' }];
    const made = await begin({ scripts: [[SESSION, WORK, DONE]], checks: broken, fields });
    expect(await ending(made)).toMatchObject({
      outcome: 'error',
      detail: expect.stringContaining('good could not run'),
    });
  });

  test('is said to check nothing where the repository has no such check', async () => {
    const made = await begin({ scripts: [[SESSION, WORK, DONE]], fields });
    expect(await ending(made)).toMatchObject({ outcome: 'done' });
    expect(made.said).toEqual(['Nothing was checked: the repository declares no check for test (done-when).']);
  });

  test('tells all over again to an agent without sessions', async () => {
    const made = await begin({
      scripts: [
        [WORK, DONE],
        ['touch good', DONE],
      ],
      checks,
      fields,
    });
    expect(await ending(made)).toMatchObject({ outcome: 'done' });
    expect(made.turns[1]?.session).toEqual({ kind: 'new' });
    expect(made.turns[1]?.prompt).toMatch(/Fix it well\.[^]*A summary\.[^]*no good/);
  });
});

test('an agent that goes round in circles is stopped, and parks with the calls as evidence', async () => {
  const call = [
    line({ kind: 'tool-started', call: '1', name: 'run', input: 'npm test' }),
    line({ kind: 'tool-ended', call: '1', output: '1 failed', ok: false }),
  ];
  const made = await begin({ scripts: [[SESSION, WORK, ...Array.from({ length: 5 }, () => call).flat(), HANG]] });
  const before = made.context.run.head;
  expect(await ending(made)).toMatchObject({
    outcome: 'stalled',
    detail: expect.stringMatching(/run `npm test` 5 times in a row .*first at .*last at .*1 failed/),
    park: { code: 'agent/no-progress', needs: 'limit' },
  });
  expect((await made.context.workspace()).head).not.toBe(before);
});
