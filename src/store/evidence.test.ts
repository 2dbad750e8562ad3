import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CheckEvidence } from '../domain/evidence.ts';
import type { Database } from './database.ts';
import { appendEvents } from './events.ts';
import { copyEvidence, exposedIn, recordEvidence, recordExposed, verdictsSinceDecision } from './evidence.ts';
import { insertBareRun, insertBareStep, type StoreFixture, storeFixture } from './fixture.ts';

let fixture: StoreFixture;
let database: Database;

beforeAll(async () => {
  fixture = await storeFixture();
  ({ database } = fixture);
});

afterAll(() => fixture[Symbol.asyncDispose]());

const SECOND = 1000;
const at = (seconds: number) => new Date(Date.UTC(2030, 0, 1) + seconds * SECOND);

async function said(run: string, commit: string, seconds: number, more: Partial<CheckEvidence> = {}): Promise<void> {
  const evidence = {
    name: 'test',
    kind: 'test',
    verdict: 'fail',
    commit,
    tree: `tree of ${commit}`,
    items: [],
    report: '',
    durationMs: 1,
    ...more,
  } satisfies CheckEvidence;
  await recordEvidence(database, run, evidence, at(seconds));
}

test('verdicts since the last decision of a person come in their order, with whether an agent has worked since', async () => {
  await insertBareRun(database, 'run1', 'run1');
  await said('run1', 'old', 1);
  const payload = { kind: 'run.resumed', choice: 'retry', head: null } as const;
  await appendEvents(database, 'run1', [{ actor: { kind: 'person', name: 'ada' }, at: at(2), payload }]);
  await said('run1', 'second', 5);
  await said('run1', 'first', 3);
  await insertBareStep(database, { id: 'run1-a', run: 'run1' });
  await database.query('update step set agentic = true, started_at = $1, ended_at = $2 where id = $3', [
    at(4),
    at(4),
    'run1-a',
  ]);
  const verdicts = await verdictsSinceDecision(database, 'run1');
  expect(verdicts).toMatchObject([
    { commit: 'first', tree: 'tree of first', verdict: 'fail', at: at(3).getTime(), workedSince: true, durationMs: 1 },
    { commit: 'second', workedSince: false },
  ]);
});

test('an agent that is at work has worked since', async () => {
  await insertBareRun(database, 'run2', 'run2');
  await said('run2', 'first', 3);
  await insertBareStep(database, { id: 'run2-a', run: 'run2' });
  const worked = async () => (await verdictsSinceDecision(database, 'run2')).map(({ workedSince }) => workedSince);
  await database.query('update step set agentic = true where id = $1', ['run2-a']);
  expect(await worked()).toEqual([false]);
  await database.query('update step set started_at = $1 where id = $2', [at(1), 'run2-a']);
  expect(await worked()).toEqual([true]);
});

const CODEX = { agent: 'codex', login: '/home/ada/.codex/auth.json' };
const CLAUDE = { agent: 'claude', login: '/home/ada/.claude/.credentials.json' };

test('a login that was exposed is known once for each agent and file, in the order in which they came', async () => {
  await insertBareRun(database, 'run3', 'run3');
  expect(await exposedIn(database, 'run3')).toEqual([]);
  for (const login of [CODEX, CLAUDE, CODEX]) await recordExposed(database, 'run3', login, at(1));
  expect(await exposedIn(database, 'run3')).toEqual([CODEX, CLAUDE]);
});

test('evidence keeps the logins that were exposed by then, and has none where there were none', async () => {
  await insertBareRun(database, 'run4', 'run4');
  await said('run4', 'before', 1);
  await said('run4', 'after', 2, { exposed: [CODEX] });
  const [before, after] = await verdictsSinceDecision(database, 'run4');
  expect(before).not.toHaveProperty('exposed');
  expect(after?.exposed).toEqual([CODEX]);
});

test('a run that goes on from an earlier moment of another one knows what was exposed until then', async () => {
  await insertBareRun(database, 'run5', 'run5');
  await insertBareRun(database, 'run6', 'run6');
  await recordExposed(database, 'run5', CODEX, at(1));
  await said('run5', 'first', 2, { exposed: [CODEX] });
  await recordExposed(database, 'run5', CLAUDE, at(4));
  await copyEvidence(database, { from: 'run5', to: 'run6', until: at(3) });
  expect(await exposedIn(database, 'run6')).toEqual([CODEX]);
  expect(await verdictsSinceDecision(database, 'run6')).toMatchObject([{ commit: 'first', exposed: [CODEX] }]);
});
