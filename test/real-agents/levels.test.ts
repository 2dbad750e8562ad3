import { fileURLToPath } from 'node:url';
import type { SandboxLevel } from '../../src/domain/sandbox.ts';
import { fixesWhatTheCheckFinds } from './fix-after-check.ts';

// At the level of the machine's choice they work in their own tests; a container wants an image that has them.
const LEVELS: readonly SandboxLevel[] = ['none', 'pid', 'domains'];

const program = (name: string) => fileURLToPath(new URL(`../../node_modules/.bin/${name}`, import.meta.url));

for (const sandbox of LEVELS) {
  fixesWhatTheCheckFinds({
    kind: 'codex',
    command: program('codex'),
    model: 'scripted',
    api: 'responses',
    run: (cmd) => ({ tool: 'exec_command', input: { cmd } }),
    sandbox,
  });
  fixesWhatTheCheckFinds({
    kind: 'claude',
    command: program('claude'),
    model: 'claude-opus-5-5',
    api: 'anthropic',
    run: (command) => ({ tool: 'Bash', input: { command, description: 'Write the answer' } }),
    sandbox,
  });
}
