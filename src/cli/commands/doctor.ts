import type { CommandContext } from '../context.ts';
import { EXIT_CODES } from '../exit-code.ts';
import { print } from '../print.ts';
import { reportLines } from '../render/report.ts';
import { usageError } from '../usage-error.ts';

export interface DoctorOptions {
  readonly online?: boolean;
  readonly fix?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** Examines this machine; problems, not warnings, make it fail. With `fix`, clears away what dead processes of Switchyard have left. */
export async function doctor(context: CommandContext, options: DoctorOptions): Promise<number> {
  const { env } = context;
  if (options.fix !== true) {
    if (options.dryRun === true) throw usageError('--dry-run is for --fix.', 'Add --fix, or leave it out.');
    const { examine } = await import('../../daemon/doctor.ts');
    const report = await examine({ env, online: options.online ?? false });
    print(context, options, report, reportLines);
    return report.ok ? EXIT_CODES.ok : EXIT_CODES.failed;
  }
  const { clearAway } = await import('../../daemon/doctor/clear-away.ts');
  const { leftoverLines } = await import('../render/leftovers.ts');
  const cleared = await clearAway({ env, dryRun: options.dryRun ?? false });
  print(context, options, cleared, leftoverLines);
  return cleared.ok ? EXIT_CODES.ok : EXIT_CODES.failed;
}
