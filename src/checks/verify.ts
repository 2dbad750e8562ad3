import { between } from '../lib/crash-point.ts';
import type { CheckDeclaration, StepContext } from '../ports/node.ts';
import type { Workspace } from '../ports/workspace.ts';
import { type CheckResult, runCheck } from './run.ts';

export interface VerifyRequest {
  readonly context: StepContext;
  readonly workspace: Workspace;
  readonly checks: readonly CheckDeclaration[];
  /** Where set, checks that have a form for changed files look at these alone. */
  readonly changedFiles?: readonly string[] | undefined;
  /** For all checks together. */
  readonly budgetMs?: number | undefined;
}

/**
 * Runs checks on the workspace's head, one after the other, and records what each said of that commit. What they leave behind is
 * thrown away, so that the verdicts are about the commit and nothing else enters the next one.
 */
export async function verify({
  context,
  workspace,
  checks,
  changedFiles,
  budgetMs,
}: VerifyRequest): Promise<CheckResult[]> {
  const commit = workspace.head;
  const tree = await context.git.treeOf(commit);
  // Before the first is started: one that lacks a secret fails the step, and what the others say would be lost.
  await context.secrets(checks.flatMap(({ secrets = [] }) => secrets));
  const started = context.clock.now();
  const results: CheckResult[] = [];
  for (const check of checks) {
    const left = budgetMs === undefined ? undefined : Math.max(1, budgetMs - (context.clock.now() - started));
    const result = await runCheck({
      check,
      workspaceFolder: workspace.folder,
      sandbox: context.sandbox,
      env: { ...context.commandEnv, ...(await context.secrets(check.secrets ?? [])) },
      redact: context.redact,
      signal: context.signal,
      clock: context.clock,
      ...(changedFiles === undefined ? {} : { changedFiles }),
      ...(left === undefined ? {} : { budgetMs: left }),
    });
    await between(context.crashPoint, 'check-end', () => tell(context, result, { commit, tree }));
    results.push(result);
  }
  const litter = await workspace.restore();
  if (litter.length > 0)
    await context.say(
      'info',
      `The checks left ${litter.length} changed or new files behind, which were thrown away: ${litter.slice(0, 5).join(', ')}`,
    );
  return results;
}

async function tell(context: StepContext, result: CheckResult, on: { commit: string; tree: string }): Promise<void> {
  const { name, kind, verdict, durationMs } = result;
  const items = [...result.items];
  const logins = await context.exposed();
  const exposed = logins.length === 0 ? {} : { exposed: [...logins] };
  await context.recordEvidence({ name, kind, verdict, ...on, items, report: result.report, durationMs, ...exposed });
  const { node, n } = context.step;
  const report = verdict === 'pass' ? {} : { report: result.report };
  await context.emit({
    kind: 'check.ended',
    node,
    n,
    check: name,
    verdict,
    commit: on.commit,
    items,
    ...report,
    durationMs,
    ...exposed,
  });
}
