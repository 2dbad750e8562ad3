import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { runInTerminal } from '../../src/lib/exec/in-terminal.ts';
import type { TerminalLaunch } from '../../src/ports/sandbox.ts';

/** A person's command line: runs what the file says in this terminal, then reads a line of it and says which one. */
const launch = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as TerminalLaunch;
await runInTerminal({ ...launch, onStarted: () => Promise.resolve() });
const lines = createInterface({ input: process.stdin });
lines.once('line', (line) => {
  process.stdout.write(`\nGOT ${line}\n`);
  process.exit(0);
});
process.stdout.write('\nENDED\n');
