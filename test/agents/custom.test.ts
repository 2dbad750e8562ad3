import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { customAgent } from '../../src/adapters/agents/custom/index.ts';
import { AgentEntry } from '../../src/domain/agent-entry.ts';
import { type Act, agentContract, type PreparedAgent } from '../../src/testing/agent-contract.ts';
import { bestSandbox, untilThereIs } from './host.ts';

const sandbox = await bestSandbox();
const noFork = 'a custom agent is not told that it should fork';

agentContract({
  title: 'custom, with lines of JSON',
  adapter: customAgent,
  sandbox,
  prepare: preparing('jsonl'),
  lacks: { fork: noFork, usage: 'it has no model', model: 'it has none' },
});

const plain = 'plain text says nothing of it';
agentContract({
  title: 'custom, with plain text',
  adapter: customAgent,
  sandbox,
  prepare: preparing('text'),
  lacks: {
    sessions: plain,
    memory: plain,
    tools: plain,
    usage: plain,
    fork: noFork,
    'final event': plain,
    model: 'it has none',
  },
});

function preparing(format: 'text' | 'jsonl') {
  return async (turns: readonly (readonly Act[])[], folder: string): Promise<PreparedAgent> => {
    await writeFile(join(folder, 'turns.json'), JSON.stringify(turns));
    const program = fileURLToPath(new URL('act.ts', import.meta.url));
    return {
      entry: AgentEntry.parse({
        kind: 'custom',
        command: [process.execPath, program, folder],
        args: [format],
        format,
        env: { EXTRA: 'from the entry' },
      }),
      hostEnv: { PATH: process.env['PATH'] },
      prompts: async () => JSON.parse(await readFile(join(folder, 'asked.json'), 'utf8')) as string[],
      thinking: () => untilThereIs(join(folder, 'thinking')),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  };
}
