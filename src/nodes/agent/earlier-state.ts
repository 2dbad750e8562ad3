import { own } from '../../blueprint/frames.ts';
import type { StepContext } from '../../ports/node.ts';
import { sibling } from './sibling.ts';

/** Kinds of node that say what is wrong with a commit. */
const REPORTING: ReadonlySet<string> = new Set(['check', 'command']);

/**
 * What the node hands to its agent. A report about a commit that is not the run's head any more, because a person or somebody else has
 * changed files since, says so: else the agent would mend what is mended.
 */
export async function presentValues(context: StepContext): Promise<Readonly<Record<string, unknown>>> {
  const { step, blueprint, run } = context;
  const name = step.node.split('/').at(-1) ?? step.node;
  const given = own(blueprint.nodes, name)?.with ?? {};
  const values = { ...step.with };
  for (const [key, source] of Object.entries(given)) {
    const value = values[key];
    if (source.kind !== 'output' || typeof value !== 'string' || value.trim() === '') continue;
    if (!REPORTING.has(own(blueprint.nodes, source.node)?.kind ?? '')) continue;
    const about = await context.headAfter(sibling(context, source.node));
    if (about !== undefined && about !== run.head)
      values[key] = `(Of an earlier state, ${about.slice(0, 12)}: files have changed since.)\n${value}`;
  }
  return values;
}
