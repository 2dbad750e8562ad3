import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { compileRedact } from '../lib/redact.ts';
import { type EngineFixture, engineFixture } from './fixture/engine-fixture.ts';

/** What steps say and put out is stored without the values of secrets, whichever way it takes. */

let fixture: EngineFixture;
const VALUE = 'token-1234567890';

beforeAll(async () => {
  fixture = await engineFixture();
  fixture.redact = compileRedact([
    { name: 'TOKEN', value: VALUE },
    { name: 'BAD_CHOICE', value: 'delivered' },
  ]);
  await fixture.worker();
});
beforeEach(() => fixture.script.clear());
afterAll(() => fixture[Symbol.asyncDispose]());

const PIPE = `
start: check
nodes:
  check: { command: x, next: fix, on: { fail: fix } }
  fix: { agent: default, next: done, on: { unchanged: park }, with: { failure: $check.report } }
`;

test('outputs, details, events, evidence and what later steps are told of them hold no secret', async () => {
  const { script, engine } = fixture;
  const told: unknown[] = [];
  script.on('check', async (context) => {
    await context.emit({
      kind: 'agent.tool',
      node: 'check',
      n: 1,
      call: 'c',
      phase: 'ended',
      name: 'sh',
      output: VALUE,
    });
    await context.say('warning', `It said ${VALUE}`);
    const items = [{ message: VALUE, file: `${VALUE}.txt` }];
    const evidence = { name: 'x', kind: 'test', verdict: 'fail', items, report: VALUE, durationMs: 1 } as const;
    await context.recordEvidence({ ...evidence, commit: 'c', tree: 't' });
    return { kind: 'outcome', outcome: 'fail', outputs: { report: `It printed ${VALUE}`, code: 1 }, detail: VALUE };
  });
  script.on('fix', async (context) => {
    told.push(context.step.with, await context.verdicts(), await context.summary());
    throw new Error(`no agent with ${VALUE}`);
  });
  const id = await fixture.start(PIPE);
  await fixture.reaches(id, 'parked');
  expect(told[0]).toEqual({ failure: 'It printed [secret TOKEN]' });
  const [step] = await fixture.steps(id);
  expect(step).toMatchObject({ detail: '[secret TOKEN]', outputs: { report: 'It printed [secret TOKEN]', code: 1 } });
  const kept = [
    told,
    await fixture.run(id),
    await fixture.steps(id),
    await fixture.events(id),
    await engine.database.query('select * from evidence where run = $1', [id]),
  ];
  expect(JSON.stringify(kept)).not.toContain(VALUE);
  expect(JSON.stringify(kept.slice(1)).split('[secret TOKEN]').length).toBeGreaterThan(10);
});

test('a secret that is a word of the harness’s own breaks nothing', async () => {
  const { script } = fixture;
  script.on('deliver', async (context) => {
    await context.say('info', 'It was delivered.');
    return { kind: 'outcome', outcome: 'delivered', outputs: { delivered: context.run.head } };
  });
  const id = await fixture.start('start: deliver\nnodes:\n  deliver: { deliver: branch, next: done }');
  expect(await fixture.reaches(id, 'succeeded', 'parked')).toMatchObject({ kind: 'succeeded' });
  expect((await fixture.events(id)).find(({ kind }) => kind === 'message')).toMatchObject({
    text: 'It was [secret BAD_CHOICE].',
  });
});
