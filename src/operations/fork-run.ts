import type { ParsedRequestOf } from '../api/routes.ts';
import type { RunStarted } from '../api/schemas/start-run.ts';
import { chooseAgent } from '../config/resolve.ts';
import { type ForkPoint, forkRun as fork, forkPoint, headOf } from '../engine/fork.ts';
import { discarded } from '../engine/go-on.ts';
import { isAncestor } from '../lib/git/commits.ts';
import { baseAtStart } from '../store/events.ts';
import { getRepository } from '../store/repositories.ts';
import type { RunRow } from '../store/rows.ts';
import { resolveRun } from '../store/runs.ts';
import { type GitStore, runRef } from '../workspaces/git-store.ts';
import type { OperationContext } from './operations.ts';
import { messageText } from './send-to-run.ts';
import { usableAgent } from './usable-agent.ts';

/** Starts a run that goes on from a step of another one. The other one goes its own way. */
export async function forkRun(
  context: OperationContext,
  reference: string,
  request: ParsedRequestOf<'forkRun'>,
): Promise<RunStarted> {
  const { engine, host } = context;
  const from = await resolveRun(engine.database, reference);
  if (from.state.kind === 'discarded') throw discarded(from);
  const agent =
    request.agent === undefined
      ? undefined
      : await usableAgent(context, chooseAgent(await context.machine(), request.agent), {
          hasOwnPrograms: from.settings.sandbox === 'container',
        });
  const prompt = request.prompt === undefined ? undefined : engine.redact(messageText(request.prompt));
  const point = await forkPoint(engine, from, request.from?.replace(/\s/g, ''));
  const store = await host.openStore(await getRepository(engine.database, from.repository));
  const id = engine.ids();
  await keep(store, id, point);
  const { step } = point;
  const notes = [`Forked from ${from.slug} after ${step.node} #${step.n}, at ${headOf(point).slice(0, 12)}.`];
  const run = await fork(engine, {
    id,
    from,
    point,
    base: await baseOf(context, { store, from, head: headOf(point) }),
    agent,
    prompt,
    actor: { kind: 'person', name: request.actor },
    notes,
  });
  return { schema: 1, run: run.id, task: run.task, slug: run.slug, notes };
}

/** What the fork stands on is kept for itself, whatever becomes of the other run. */
async function keep(store: GitStore, id: string, point: ForkPoint): Promise<void> {
  await store.keep(runRef(id, 'head'), headOf(point));
  const kept = point.past.findLast((step) => step.kept !== null)?.kept;
  if (kept != null) await store.keep(runRef(id, 'kept'), kept);
}

/** A run that went on after a merge has another base since; what was done before that still has the one that it began with. */
async function baseOf(
  { engine }: OperationContext,
  { store, from, head }: { store: GitStore; from: RunRow; head: string },
): Promise<string> {
  if (await isAncestor(store.path, from.base_commit, head)) return from.base_commit;
  return (await baseAtStart(engine.database, from.id)) ?? from.base_commit;
}
