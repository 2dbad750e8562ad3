import { type CommandEnd, runCommand } from './command.ts';
import { explainExit } from './exit-codes.ts';
import { type CheckRequest, DEFAULT_TIMEOUT_MS, folderOf } from './run.ts';

export interface FixResult {
  /** False when the check has no fix, or it could not run; `problem` then says why. */
  readonly ran: boolean;
  readonly problem?: string;
  readonly durationMs: number;
}

/**
 * Runs the fix of a check. Its exit code says nothing: tools end in failure when something is left that they cannot mend. What it
 * changed is seen in the workspace. Rejects only with the reason of an aborted signal.
 */
export async function runFix(request: Omit<CheckRequest, 'changedFiles' | 'budgetMs'>): Promise<FixResult> {
  const { check, workspaceFolder } = request;
  if (check.fix === undefined) return { ran: false, durationMs: 0 };
  const timeoutMs = check.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const { end, output, durationMs } = await runCommand({
    ...request,
    command: check.fix,
    folder: folderOf(check, workspaceFolder),
    timeoutMs,
  });
  const problem = problemOf(end, output.text);
  return problem === undefined
    ? { ran: true, durationMs }
    : { ran: false, problem: `the fix of ${check.name}: ${problem}`, durationMs };
}

function problemOf(end: CommandEnd, output: string): string | undefined {
  if (end.kind === 'exited') return explainExit(end.code, output);
  if (end.kind === 'signalled') return `ended by ${end.signal}`;
  return end.kind === 'timeout' ? `did not end within ${end.afterMs / 1000} s` : end.message;
}
