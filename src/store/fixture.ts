import type { Blueprint } from '../domain/blueprint.ts';
import { NO_USAGE } from '../domain/run.ts';
import { systemClock } from '../lib/clock.ts';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import { type Database, openDatabase } from './database.ts';
import { migrate } from './migrate.ts';
import { upsertRepository } from './repositories.ts';
import { insertRun } from './runs.ts';
import type { NewStep } from './steps.ts';
import { insertStep } from './steps.ts';
import { insertTask } from './tasks.ts';

/** A database of its own with all tables. */
export interface StoreFixture extends AsyncDisposable {
  readonly place: TestDatabase;
  readonly database: Database;
}

export async function storeFixture(): Promise<StoreFixture> {
  const place = await createTestDatabase();
  const database = openDatabase(place.url, { clock: systemClock });
  await migrate(database);
  return {
    place,
    database,
    async [Symbol.asyncDispose]() {
      await database[Symbol.asyncDispose]();
      await place[Symbol.asyncDispose]();
    },
  };
}

/** A run that nothing is done with. */
export async function insertBareRun(database: Database, id: string, slug = `slug-${id}`): Promise<void> {
  const at = new Date();
  await upsertRepository(database, { id: 'repo', path: '/repo' }, at);
  const task = await insertTask(
    database,
    {
      id: `task-${id}`,
      title: 'Fix it',
      body: 'Fix it.',
      links: [],
      attachments: [],
      repositories: [{ repository: 'repo', baseRef: 'main' }],
      labels: [],
      priority: 0,
      requester: 'ada',
      dependencies: [],
      origin: null,
    },
    at,
  );
  await insertRun(database, {
    id,
    slug,
    task,
    repository: 'repo',
    state: { kind: 'queued' },
    blueprint: EMPTY,
    flow: {},
    settings: {
      agent: null,
      checks: [],
      setup: null,
      copy: [],
      carry: [],
      limits: {},
      sandbox: 'none',
      identity: { name: 'Ada', email: 'ada@example.com' },
      yes: false,
      checkout: null,
      push: false,
    },
    base_ref: 'main',
    base_commit: 'c0',
    target: 'main',
    head: 'c0',
    consumed: { wall: 0, turns: 0, usage: NO_USAGE },
    requester: 'ada',
    priority: 0,
    created_at: at,
  });
}

/** A step of a bare run. */
export async function insertBareStep(
  database: Database,
  step: Pick<NewStep, 'id' | 'run'> & Partial<NewStep>,
): Promise<void> {
  await insertStep(database, {
    repository: 'repo',
    node: 'implement',
    n: 1,
    kind: 'agent',
    agentic: true,
    aside: false,
    provider: null,
    state: 'waiting',
    inputs: {},
    priority: 0,
    created_at: new Date(),
    ...step,
  });
}

const EMPTY: Blueprint = {
  name: 'empty',
  inputs: {},
  limits: {},
  workspace: {},
  requires: [],
  start: 'none',
  nodes: {},
  ends: {},
  prompts: {},
  blueprints: {},
};
