import { type CommandContext, processContext } from './context.ts';
import { reportFailure } from './failure.ts';
import { parse } from './program.ts';

/** The command line; `bin/switchyard.js` calls this with the arguments and ends with the exit code that it resolves to. */
export async function main(argv: string[]): Promise<number> {
  // Who reads our output may leave before its end, as `head` does: nothing is left to say then.
  process.stdout.on('error', endOnBrokenPipe);
  process.stderr.on('error', endOnBrokenPipe);
  return execute(processContext(), argv);
}

/** Parses and runs a command; never rejects for what a command may do. */
export async function execute(context: CommandContext, argv: readonly string[]): Promise<number> {
  try {
    const parsed = await parse(context, argv);
    if (parsed.kind === 'shown') return 0;
    const command = await parsed.spec.load();
    return await command(context, parsed.options as never);
  } catch (error) {
    return await reportFailure(context, error, { json: asksForJson(argv), argv });
  }
}

/** Asked of the words themselves, because they may be what could not be parsed. */
function asksForJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end === -1 ? argv : argv.slice(0, end)).includes('--json');
}

function endOnBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
}
