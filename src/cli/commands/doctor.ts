import type { CommandContext } from '../context.ts';
import { EXIT_CODES } from '../exit-code.ts';
import { print } from '../print.ts';
import { reportLines } from '../render/report.ts';

/** Examines this machine. Problems, not warnings, make it fail. */
export async function doctor(context: CommandContext, options: { readonly json?: boolean }): Promise<number> {
  const { examine } = await import('../../daemon/doctor.ts');
  const report = await examine({ env: context.env });
  print(context, options, report, reportLines);
  return report.ok ? EXIT_CODES.ok : EXIT_CODES.failed;
}
