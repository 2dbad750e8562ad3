import { fileURLToPath } from 'node:url';
import type { SandboxLevel } from '../../src/domain/sandbox.ts';
import { inContainers } from '../support/in-containers.ts';
import { fixesWhatTheCheckFinds, type RealAgent } from './fix-after-check.ts';

// At the level of the machine's choice they work in their own tests.
const LEVELS: readonly SandboxLevel[] = ['none', 'pid', 'domains'];

const program = (name: string) => fileURLToPath(new URL(`../../node_modules/.bin/${name}`, import.meta.url));

const AGENTS: readonly RealAgent[] = [
  {
    kind: 'codex',
    command: program('codex'),
    model: 'scripted',
    api: 'responses',
    run: (cmd) => ({ tool: 'exec_command', input: { cmd } }),
  },
  {
    kind: 'claude',
    command: program('claude'),
    model: 'claude-opus-5-5',
    api: 'anthropic',
    run: (command) => ({ tool: 'Bash', input: { command, description: 'Write the answer' } }),
  },
];

for (const sandbox of LEVELS) {
  for (const agent of AGENTS) fixesWhatTheCheckFinds({ ...agent, sandbox });
}

await inContainers((image) => {
  const { name, env } = image;
  // Of the agents the image has nothing: the files that their entries name are shown in it.
  for (const agent of AGENTS)
    fixesWhatTheCheckFinds({ ...agent, sandbox: 'container', env, config: { container: { image: name } } });
});
