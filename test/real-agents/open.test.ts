import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { waitUntil } from '../../src/lib/wait-until.ts';
import { type ModelReply, startModelServer, toolsUsed } from '../../src/testing/model-server.ts';
import { tempRepository } from '../../src/testing/temp-repository.ts';
import { Installation } from '../support/installation.ts';

/** `open RUN` with the agent's own program, in a terminal, in the session that the run's agent has worked in. */

const bin = fileURLToPath(new URL('../../bin/switchyard.js', import.meta.url));
const program = (name: string) => fileURLToPath(new URL(`../../node_modules/.bin/${name}`, import.meta.url));

const AGENTS = [
  {
    kind: 'claude',
    api: 'anthropic',
    model: 'claude-sonnet-4-5',
    run: (command: string): ModelReply => ({ tool: 'Bash', input: { command, description: 'Write' } }),
    leave: '/exit\r',
  },
  {
    kind: 'codex',
    api: 'responses',
    model: 'scripted',
    run: (cmd: string): ModelReply => ({ tool: 'exec_command', input: { cmd } }),
    leave: '/quit\r',
  },
  {
    kind: 'pi',
    api: 'chat',
    model: 'scripted',
    run: (command: string): ModelReply => ({ tool: 'bash', input: { command } }),
    leave: '/quit\r',
  },
] as const;

test.for(AGENTS)(
  'real $kind goes on in a terminal with its session, and its work there is handed back',
  {
    timeout: 120_000,
  },
  async ({ kind, api, model: modelName, run: runs, leave }) => {
    await using model = await startModelServer((request) => {
      const asked = request.messages.findLast((message) => message.role === 'user')?.text ?? '';
      const byHand = asked.includes('by hand now');
      if (toolsUsed(request) > 0) return { text: byHand ? 'DONE-BY-HAND' : 'I have written the file.' };
      return runs(byHand ? 'echo hand > hand.txt' : 'echo agent > made.txt');
    });
    await using repository = await tempRepository({
      'README.md': 'x\n',
      '.switchyard/config.yaml': 'checks: {}\nsetup: none\n',
    });
    const endpoint = { api, baseUrl: model.baseUrl, key: { env: 'MODEL_KEY' } };
    await using installation = await Installation.create({
      config: JSON.stringify({
        agents: { [kind]: { kind, command: [program(kind)], model: modelName, endpoint } },
      }),
      env: { MODEL_KEY: 'a-key-for-the-test' },
    });
    const started = await installation.cli(['run', 'Write made.txt', '--json'], { cwd: repository.path });
    expect(started).toMatchObject({ code: 0, stderr: '' });
    const { run } = JSON.parse(started.stdout.split('\n')[0] ?? '{}') as { run: string };

    const command = `stty rows 40 cols 120; exec '${process.execPath}' '${bin}' open ${run} --agent`;
    const terminal = spawn('script', ['-qefc', command, '/dev/null'], {
      cwd: installation.folder,
      env: { ...installation.env, TERM: 'xterm-256color', SHELL: '/bin/sh' },
    });
    // Also where the test fails in the middle: the command line hears that its terminal is gone.
    using _ = { [Symbol.dispose]: () => void terminal.kill('SIGKILL') };
    let shown = '';
    terminal.stdout.on('data', (chunk: Buffer) => {
      shown += chunk.toString();
    });
    let seen = 0;
    const shows = async (text: string) => {
      const wanted = text.replaceAll(' ', '');
      const at = () => 1 + plain(shown).indexOf(wanted, seen);
      const found = await waitUntil(at, { timeoutMs: 40_000, everyMs: 50, what: `"${text}"` }).catch(
        (error: unknown) => {
          throw new Error(plain(shown).slice(-3000), { cause: error });
        },
      );
      seen = found - 1 + wanted.length;
    };
    // It shows what was said before, which is how we know that it listens.
    await shows('I have written the file.');
    terminal.stdin.write('Write it by hand now');
    await shows('by hand now');
    terminal.stdin.write('\r');
    await shows('DONE-BY-HAND');
    terminal.stdin.write(leave.slice(0, -1));
    await shows(leave.slice(0, -1));
    terminal.stdin.write('\r');
    await shows('Handed back: 1 file changed, in 1 commit');
    await waitUntil(() => terminal.exitCode !== null, { timeoutMs: 10_000, what: 'the end of the terminal' });
    const { head } = await installation.show(run);
    expect((await installation.cli(['diff', run])).stdout).toContain('+hand');
    const events = (await installation.cli(['logs', run, '--json'])).stdout;
    expect(events).toContain(`up to ${head.slice(0, 12)}: hand.txt`);
  },
);

/** What a terminal was told to show, in the order of telling, without colours, places and spaces. */
function plain(output: string): string {
  return stripVTControlCharacters(output).replaceAll(/\s/g, '');
}
