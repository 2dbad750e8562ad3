import { expect, test } from 'vitest';
import type { OpenEgress } from '../ports/egress.ts';
import type { StepContext } from '../ports/node.ts';
import { decide } from './decide.ts';
import { type EngineFixture, engineFixture } from './fixture/engine-fixture.ts';
import type { TestWorker } from './fixture/worker.ts';

const ada = { kind: 'person', name: 'ada' } as const;
const TWO_STEPS = `
start: one
nodes:
  one: { command: x, next: ask, on: { fail: failed } }
  ask: { approval: reviewer, on: { approved: two, changes: failed, abandoned: abandoned } }
  two: { command: x, next: done, on: { fail: failed } }`;

test('a refused host is told once in a run, whichever of its steps asks, also by a worker that was started since', async () => {
  await using fixture = await engineFixture();
  let asked = ['github.com', 'github.com'];
  const programsAsk = async (context: StepContext) => {
    await context.sandbox.spawn({ argv: ['x'], cwd: '/', env: {} }).catch(() => undefined);
    return { kind: 'outcome', outcome: 'pass' } as const;
  };
  fixture.script.on('one', programsAsk);
  fixture.script.on('two', programsAsk);

  const earlier = await walledWorker(fixture, () => asked);
  const id = await fixture.start(TWO_STEPS);
  await fixture.reaches(id, 'parked');
  await earlier[Symbol.asyncDispose]();

  asked = ['github.com', 'api.github.com'];
  await using _ = await walledWorker(fixture, () => asked);
  await decide(fixture.engine, id, { actor: ada });
  await fixture.reaches(id, 'succeeded');
  expect(await refusalsOf(fixture, id)).toEqual([
    ['one', 'The sandbox refused a connection to github.com: what this run may reach is nothing.'],
    ['two', 'The sandbox refused a connection to api.github.com: what this run may reach is nothing.'],
  ]);

  const another = await fixture.start(TWO_STEPS);
  await fixture.reaches(another, 'parked');
  expect(await refusalsOf(fixture, another)).toHaveLength(2);
});

/** A worker whose programs are within walls, through which they ask for these hosts as soon as they start. */
async function walledWorker(fixture: EngineFixture, hosts: () => readonly string[]): Promise<TestWorker> {
  const worker = await fixture.worker();
  const walls = { ...(await worker.host.walls('none')), boundsNetwork: true };
  const openEgress: OpenEgress = async (_, onRefused) => {
    for (const host of hosts()) onRefused(host);
    throw new Error('nothing goes out in the engine’s tests');
  };
  Object.assign(worker.host, { walls: async () => walls, openEgress });
  return worker;
}

async function refusalsOf(fixture: EngineFixture, id: string): Promise<unknown[]> {
  const events = await fixture.events(id);
  return events.flatMap((event) =>
    event.kind === 'message' && event.text.includes('refused') ? [[event.node, event.text]] : [],
  );
}
