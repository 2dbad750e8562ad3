import { SwitchyardError } from '../../lib/error.ts';

/** bubblewrap's first report is `{"child-pid": N, …}`: the init of its namespace, as a pid of the host. */
export function initInReport(report: string): number {
  const status = parsed(report);
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

function parsed(report: string): unknown {
  try {
    return JSON.parse(report);
  } catch {
    return undefined;
  }
}
