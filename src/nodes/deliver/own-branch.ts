import type { PublishResult } from '../../ports/forge.ts';
import type { StepContext } from '../../ports/node.ts';

/**
 * Puts the head on the run's own branch in the person's repository. One that somebody has deleted or renamed is made anew, which is
 * said; one that somebody has moved is left alone.
 */
export async function putOnOwnBranch(context: StepContext): Promise<PublishResult & { readonly branch: string }> {
  const { run, forge } = context;
  const branch = `switchyard/${run.slug}`;
  const request = { branch, commit: run.head };
  const published = await forge.publish({ ...request, expected: run.delivered ?? undefined });
  if (published.kind === 'published' || published.actual !== undefined) return { ...published, branch };
  const anew = await forge.publish({ ...request, expected: undefined });
  if (anew.kind === 'published')
    await context.say('info', `${branch} was no longer in the repository: it was made anew.`);
  return { ...anew, branch };
}
