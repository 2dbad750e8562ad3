import { closeSync, writeSync } from 'node:fs';
import { messageOf } from '../../../lib/error.ts';
import { runInTerminal } from '../../../lib/exec/in-terminal.ts';
import { beginContainer } from './start-container.ts';
import { takeOrder } from './terminal-order.ts';

// A program of its own: runs a program in a container, in the terminal that this one was started in, and ends with its code. The
// container ends with this process.
const REPORT = 3;
// A terminal's signals are for the program in the container; this process goes on until that has ended.
for (const signal of ['SIGINT', 'SIGQUIT'] as const) process.on(signal, () => undefined);

try {
  const { host, ...asked } = await takeOrder(process.argv[2] ?? '');
  const { launcher, namespace, group } = await beginContainer(host, {
    ...asked,
    hasTerminal: process.stdin.isTTY,
    launch({ file, args, env }) {
      const code = runInTerminal({ argv: [file, ...args], cwd: '/', env });
      const ended = code.catch(() => 125);
      return Promise.resolve({ ended, closed: ended });
    },
  });
  writeSync(REPORT, `${namespace}\n`);
  closeSync(REPORT);
  process.exitCode = await launcher.ended;
  await group[Symbol.asyncDispose]();
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 125;
}
