import { join } from 'node:path';
import type { CheckItem } from '../domain/evidence.ts';
import { isBelow } from '../domain/inner-folder.ts';
import type { Clock } from '../lib/clock.ts';
import type { Redact } from '../lib/redact.ts';
import type { CheckDeclaration } from '../ports/node.ts';
import type { Sandbox } from '../ports/sandbox.ts';
import { whole, withChangedFiles } from './changed-files.ts';
import { type CommandEnd, type CommandResult, runCommand } from './command.ts';
import { explainExit } from './exit-codes.ts';
import { parseItems } from './parse.ts';
import { type Checked, checkReport } from './report.ts';

export const DEFAULT_TIMEOUT_MS = 600_000;

/** A declared check; `budgetMs` is how long it may take on changed files, where feedback has to be quick. */
export type Check = CheckDeclaration & { readonly budgetMs?: number | undefined };

export interface CheckRequest {
  readonly check: Check;
  readonly workspaceFolder: string;
  readonly sandbox: Sandbox;
  readonly env: Readonly<Record<string, string>>;
  /** Paths within the workspace: where the check has a form for changed files, only these are looked at. Undefined: everything. */
  readonly changedFiles?: readonly string[] | undefined;
  /** The most that it may take here, below its own timeout. */
  readonly budgetMs?: number | undefined;
  readonly signal: AbortSignal;
  readonly onOutput?: ((line: string) => void) | undefined;
  readonly clock?: Clock | undefined;
  /** As of a command. */
  readonly redact?: Redact | undefined;
}

export interface CheckResult {
  readonly name: string;
  readonly kind: string;
  /** `error`: the check itself could not run, which says nothing about the work. */
  readonly verdict: 'pass' | 'fail' | 'timeout' | 'error';
  /** Empty for a pass. */
  readonly items: readonly CheckItem[];
  readonly report: string;
  readonly durationMs: number;
  /** Null when it did not come to one. */
  readonly exitCode: number | null;
}

/** Runs one check in the workspace. Rejects only with the reason of an aborted signal; nothing of it runs on afterwards. */
export async function runCheck(request: CheckRequest): Promise<CheckResult> {
  const { check, workspaceFolder } = request;
  const changedFiles = filesBelow(check.path, request.changedFiles);
  if (check.path !== undefined && changedFiles?.length === 0) return passWithoutFiles(check);
  const folder = folderOf(check, workspaceFolder);
  const plan =
    check.changed === undefined || changedFiles === undefined
      ? whole(check.run)
      : await withChangedFiles({
          template: check.changed,
          otherwise: check.run,
          files: changedFiles,
          folder,
        });
  if (plan === 'nothing') return passWithoutFiles(check);
  const ran = await runCommand({
    ...request,
    command: plan.command,
    args: plan.args,
    folder,
    timeoutMs: timeoutOf(request),
  });
  return resultOf(request, plan, ran);
}

/** Where the commands of a check run. */
export function folderOf({ path }: Check, workspaceFolder: string): string {
  return path === undefined ? workspaceFolder : join(workspaceFolder, path);
}

/** Those that lie in the folder, as paths within it. */
function filesBelow(path: string | undefined, files: readonly string[] | undefined): readonly string[] | undefined {
  if (path === undefined || files === undefined) return files;
  return files.filter((file) => isBelow(file, [path])).map((file) => file.slice(path.length + 1));
}

function timeoutOf({ check, budgetMs, changedFiles }: CheckRequest): number {
  const own = changedFiles === undefined ? undefined : check.budgetMs;
  return Math.min(check.timeoutMs ?? DEFAULT_TIMEOUT_MS, ...[budgetMs, own].filter((bound) => bound !== undefined));
}

function resultOf(
  request: CheckRequest,
  plan: { shown: string; notes: readonly string[] },
  ran: CommandResult,
): CheckResult {
  const { check, sandbox, workspaceFolder } = request;
  const { verdict, note } = verdictOf(ran.end, ran.output.text);
  const items = verdict === 'pass' ? [] : parseItems(ran.output.text, sandbox.inside(workspaceFolder), check.path);
  const checked: Checked = {
    name: check.name,
    command: plan.shown,
    verdict,
    end: ran.end,
    items,
    output: ran.output,
    durationMs: ran.durationMs,
    notes: note === undefined ? plan.notes : [note, ...plan.notes],
  };
  const exitCode = ran.end.kind === 'exited' ? ran.end.code : null;
  return {
    name: check.name,
    kind: check.kind,
    verdict,
    items,
    report: checkReport(checked),
    durationMs: ran.durationMs,
    exitCode,
  };
}

function verdictOf(end: CommandEnd, output: string): { verdict: CheckResult['verdict']; note?: string } {
  if (end.kind === 'cannot-start') return { verdict: 'error', note: end.message };
  if (end.kind === 'timeout') return { verdict: 'timeout', note: `It had ${end.afterMs / 1000} s.` };
  if (end.kind === 'signalled') {
    return end.signal === 'SIGKILL'
      ? { verdict: 'fail', note: 'Want of memory is the usual reason for SIGKILL.' }
      : { verdict: 'fail' };
  }
  if (end.code === 0) return { verdict: 'pass' };
  const note = explainExit(end.code, output);
  return note === undefined ? { verdict: 'fail' } : { verdict: 'error', note };
}

function passWithoutFiles({ name, kind }: Check): CheckResult {
  return {
    name,
    kind,
    verdict: 'pass',
    items: [],
    report: `${name}: passed, there are no changed files for it`,
    durationMs: 0,
    exitCode: null,
  };
}
