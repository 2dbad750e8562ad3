import { z } from 'zod';
import { runFix } from '../../checks/fix.ts';
import { noProgress } from '../../checks/no-progress.ts';
import { joinReports } from '../../checks/report.ts';
import type { CheckResult } from '../../checks/run.ts';
import { selectChecks } from '../../checks/select.ts';
import { verify } from '../../checks/verify.ts';
import { defineNodeKind } from '../../domain/node-kind.ts';
import { Duration } from '../../domain/units.ts';
import type { CheckDeclaration, NodeKind, StepContext, StepResult } from '../../ports/node.ts';
import type { Workspace } from '../../ports/workspace.ts';

const Fields = z.object({
  /** Names of checks, kinds of check, or `all`. */
  check: z.union([z.string(), z.array(z.string()).min(1)]),
  /** Look only at files that the run has changed, where a check can. */
  changed: z.boolean().optional(),
  /** Let failing checks mend what they can; their changes are committed. */
  fix: z.boolean().optional(),
  /** For all of them together; past it the outcome is `timeout`. */
  budget: Duration.optional(),
});
type Fields = z.output<typeof Fields>;

/** Deterministic feedback on the run's head. */
export const checkNode: NodeKind = {
  descriptor: defineNodeKind({
    kind: 'check',
    fields: Fields,
    outcomes: ['pass', 'fixed', 'fail', 'missing'],
    outputs: ['report'],
    references: ({ check }) => ({ checks: [check].flat() }),
  }),
  mode: 'execute',
  agentic: false,
  execute,
};

async function execute(context: StepContext): Promise<StepResult> {
  const fields = context.step.fields as Fields;
  const { checks } = selectChecks(fields.check, context.checks);
  if (checks.length === 0) {
    const names = [fields.check].flat().join(', ');
    const wanted = names === 'all' ? 'no check' : `no check for ${names}`;
    await context.say('warning', `Nothing was checked: the repository declares ${wanted}.`);
    return { kind: 'outcome', outcome: 'missing', outputs: { report: '' }, detail: `There is ${wanted}.` };
  }
  const workspace = await context.workspace();
  const changedFiles = fields.changed === true ? await workspace.changedSince(context.run.base.commit) : undefined;
  const results = await verify({ context, workspace, checks, changedFiles, budgetMs: fields.budget });
  const outputs = { report: joinReports(results) };
  const failed = results.filter(
    (result) => result.verdict === 'fail' || (result.verdict === 'timeout' && fields.budget === undefined),
  );
  const stuck =
    failed.length === 0
      ? undefined
      : noProgress(await context.verdicts(), { commit: workspace.head, repeats: context.limits.repeats });
  if (stuck !== undefined) {
    const park = { code: 'agent/no-progress', needs: 'limit' } as const;
    return { kind: 'outcome', outcome: 'stalled', outputs, detail: stuck, park };
  }
  if (failed.length > 0 && fields.fix === true && (await fixed(context, workspace, pick(checks, failed)))) {
    return { kind: 'outcome', outcome: 'fixed', outputs, detail: `Mended by ${names(failed)} itself.` };
  }
  if (failed.length > 0) return { kind: 'outcome', outcome: 'fail', outputs, detail: `${names(failed)} failed.` };
  const broken = results.filter((result) => result.verdict === 'error');
  if (broken.length > 0)
    return {
      kind: 'outcome',
      outcome: 'error',
      outputs,
      detail: `${names(broken)} could not run. ${outputs.report.split('\n\n', 1)[0] ?? ''}`,
    };
  const late = results.filter((result) => result.verdict === 'timeout');
  if (late.length > 0)
    return { kind: 'outcome', outcome: 'timeout', outputs, detail: `${names(late)} did not end within the budget.` };
  return { kind: 'outcome', outcome: 'pass', outputs };
}

/** Lets each failing check mend what it can; true when that changed anything. */
async function fixed(
  context: StepContext,
  workspace: Workspace,
  checks: readonly CheckDeclaration[],
): Promise<boolean> {
  const mending = checks.filter((check) => check.fix !== undefined);
  if (mending.length === 0) return false;
  for (const check of mending) {
    const result = await runFix({
      check,
      workspaceFolder: workspace.folder,
      sandbox: context.sandbox,
      env: { ...context.commandEnv, ...(await context.secrets(check.secrets ?? [])) },
      redact: context.redact,
      signal: context.signal,
      clock: context.clock,
    });
    if (result.problem !== undefined) await context.say('warning', result.problem);
  }
  const collected = await workspace.collect(context.commitText(`Apply the fixes of ${names(mending)}`));
  for (const note of collected.notes) await context.say('warning', note);
  return collected.changed;
}

function pick(checks: readonly CheckDeclaration[], results: readonly CheckResult[]): CheckDeclaration[] {
  return checks.filter((check) => results.some((result) => result.name === check.name));
}

function names(some: readonly { readonly name: string }[]): string {
  return some.map((one) => one.name).join(', ');
}
