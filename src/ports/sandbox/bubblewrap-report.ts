import { SwitchyardError } from '../../lib/error.ts';
import { tryJson } from '../../lib/try-json.ts';

/** bubblewrap's first report is `{"child-pid": N, …}`: the init of its namespace, as a pid of the host. */
export function initInReport(report: string): number {
  const status = tryJson(report);
  if (
    typeof status === 'object' &&
    status !== null &&
    'child-pid' in status &&
    typeof status['child-pid'] === 'number'
  ) {
    return status['child-pid'];
  }
  throw new SwitchyardError({
    code: 'sandbox/cannot-start',
    message: `bubblewrap reported something unknown: ${report}`,
    hint: 'Another version of bubblewrap may help; `switchyard doctor` says what this machine can do.',
  });
}

/** Whether its walls stood and a program ran in them, by all that it reported: it tells of that program's exit code only, not of its own. */
export function hasRunProgram(reports: string): boolean {
  return reports.includes('"exit-code"');
}
