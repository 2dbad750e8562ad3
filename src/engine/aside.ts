import { insertStep } from '../store/steps.ts';
import type { OpenRun } from './transition.ts';

/** Inserts the step of a merge that the blueprint does not know of. */
export async function insertAside(
  { row, queries, engine }: OpenRun,
  inputs: Readonly<Record<string, unknown>>,
): Promise<void> {
  const kind = engine.kinds.get('deliver');
  const fields = { deliver: 'merge', ...inputs };
  const [last] = await queries.query<{ n: number }>(
    `select coalesce(max(n), 0) as n from step where run = $1 and node = 'merge'`,
    [row.id],
  );
  await insertStep(queries, {
    id: engine.ids(),
    run: row.id,
    repository: row.repository,
    node: 'merge',
    n: (last?.n ?? 0) + 1,
    kind: 'deliver',
    agentic: false,
    aside: true,
    provider: null,
    holds: (kind?.mode === 'execute' ? kind.holds?.({ fields, target: row.target }) : undefined) ?? null,
    state: 'waiting',
    inputs,
    priority: row.priority,
    created_at: new Date(engine.clock.now()),
  });
}
