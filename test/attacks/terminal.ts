import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Attack, Canary } from './attack.ts';
import { perl } from './outside.ts';
import type { Stage } from './stage.ts';

const DRIVER = fileURLToPath(new URL('in-terminal.ts', import.meta.url));
/** TIOCSTI for each letter: as if the person had typed them. */
const TYPE = perl('ioctl(STDIN, 0x5412, $_) for split //, "echo owned\\n"');

export const terminalAttacks: readonly Attack[] = [
  {
    name: "types into the person's terminal, to be run when it has ended",
    subject: 'terminal',
    play: (stage) => typed(stage, TYPE),
    twin: {
      name: 'talks with the person in the terminal',
      async works(stage) {
        const said = await inTerminal(stage, 'test -t 0 && stty size >/dev/null && echo "a terminal: $(tty)"');
        if (!said.includes('a terminal:')) throw new Error(`it said ${said}`);
      },
    },
    async lacks(stage) {
      const setting = await readFile('/proc/sys/dev/tty/legacy_tiocsti', 'utf8').catch(() => '1');
      if (setting.trim() !== '1') return 'this kernel lets nobody do that';
      return (await stage.agent('command -v script')).code === 0 ? undefined : 'there is no program `script`';
    },
  },
];

async function typed(stage: Stage, script: string): Promise<Canary> {
  const said = await inTerminal(stage, script);
  return { before: 'GOT honest', after: /GOT .*/.exec(said)?.[0].trim() ?? said };
}

/** What is to be seen in a person's terminal in which the agent runs; the person types a line once it has ended. */
async function inTerminal(stage: Stage, script: string): Promise<string> {
  const sandbox = stage.sandboxOf();
  const launch = await sandbox.terminal?.launch({
    argv: ['/bin/sh', '-c', script],
    cwd: stage.layout.tree,
    env: { ...stage.envIn(sandbox), TERM: 'xterm' },
  });
  const file = await stage.put('launch.json', JSON.stringify(launch));
  const terminal = spawn('script', ['-qec', `'${process.execPath}' '${DRIVER}' '${file}'`, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  let said = '';
  let hasTyped = false;
  terminal.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
    if (hasTyped || !said.includes('ENDED')) return;
    hasTyped = true;
    terminal.stdin.write('honest\n');
  });
  await once(terminal, 'exit');
  terminal.stdin.destroy();
  return said;
}
